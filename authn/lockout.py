"""Counts wrong passwords per name, at every door together, and tells how long a lock lasts."""

from collections.abc import Mapping
from threading import Lock
from typing import Any
from zlib import crc32

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.throttling import SimpleRateThrottle

from authn.client_address import client_address
from authn.models import canonical_email

_TURNS = [Lock() for _ in range(64)]


def login_name(_request: HttpRequest | None, credentials: Mapping[str, Any] | None) -> str:
    """Return the name under which tries are counted: one for all spellings of an e-mail."""
    return canonical_email(str((credentials or {}).get("username") or ""))[:254]


def locked_for(request: HttpRequest, name: str) -> int:
    """Return for how many more seconds this name is locked, 0 when it is not."""
    if AxesProxyHandler.is_allowed(request, {"username": name}):
        return 0
    cool_off = settings.AXES_COOLOFF_TIME
    newest = AccessAttempt.objects.filter(username=login_name(None, {"username": name})).order_by("-attempt_time")
    last = newest.values_list("attempt_time", flat=True).first() or timezone.now()
    return max(1, int((last + cool_off - timezone.now()).total_seconds()) + 1)


def turn(counted: str) -> Lock:
    """Return the lock under which tries that are counted together take turns in this process.

    Each is counted after it was judged. Of many that begin at one moment, all would be judged by the
    count before them. Each other process lets at most one more through.
    """
    return _TURNS[crc32(counted.encode("utf-8", "surrogatepass")) % len(_TURNS)]


class LoginThrottle(SimpleRateThrottle):
    """Bounds log-in tries per client address, so that one machine cannot try many names."""

    scope = "login"

    def allow_request(self, request: Any, view: Any) -> bool:
        """Count a try, and tell whether it is one too many."""
        with turn(self.get_cache_key(request, view)):
            return bool(super().allow_request(request, view))

    def get_cache_key(self, request: Any, view: Any) -> str:
        """Return the counter of this client's address."""
        return f"throttle-login-{client_address(request)}"


class RefreshThrottle(LoginThrottle):
    """Stops a refresh where log-ins have used up the tries of an address, and takes none of them itself.

    A good refresh is no guess, and many clients refresh from one address. Whoever refuses one counts
    it by `count_refused`.
    """

    def throttle_success(self) -> bool:
        """Let the request pass, uncounted."""
        return True


def count_refused(request: HttpRequest) -> None:
    """Count a refused refresh as a try to log in."""
    LoginThrottle().allow_request(request, None)

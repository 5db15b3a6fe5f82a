"""Bounds guesses of passwords, at every door together: per name and blocks of addresses, per name, per address.

A try is taken before its password is judged, and given back when it was right. Each count is one
UPDATE by the database's clock, so that it is exact however many processes count at once.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, DateTimeField, ExpressionWrapper, F, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Greatest, Now
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from rest_framework.throttling import BaseThrottle

from authn.database.connections import release_database
from authn.errors import LoginBusy, TooManyTries
from authn.models import AddressTries, LoginAttempts
from authn.web.client_address import address_block, client_address

# So many wrong passwords close a name to a /24 or /64, to a /16 or /48, and to everybody. A try that a smaller block
# refuses counts for no larger one, so that a stranger with one network cannot lock an owner out.
LIMIT, LIMIT_OF_NETWORK, LIMIT_EVERYWHERE = 5, 15, 50
LOCKED_FOR = timedelta(minutes=15)
TRIES_PER_WINDOW, WINDOW = 60, timedelta(minutes=1)
# After a lock or this long without a try, a count is of no use and is deleted.
KEEP_COUNTS_FOR = 2 * LOCKED_FOR

_EVERYWHERE = ""
# How the names of the networks between a small block and everywhere end.
_NETWORKS = ("/16", "/48")
# A try that is still undecided after this long was taken by a process that died: it counts.
_VERIFIED_WITHIN = timedelta(seconds=30)
_PATIENCE_SECONDS, _PAUSE_SECONDS = 10.0, 0.02
_lock = threading.Lock()
_waiting = 0


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """A try that was taken. Say how it ended: by `failed`, `succeeded` or `give_back`."""

    digest: str
    blocks: tuple[str, ...]

    def failed(self) -> None:
        """Keep the failure: the password was wrong."""
        for block in self.blocks:
            _rows(self.digest, block).update(undecided=_minus("undecided", 1))

    def succeeded(self) -> None:
        """Forget the failures from the smallest block, in every count; tries under way stay taken."""
        with transaction.atomic():
            here = _rows(self.digest, self.blocks[0]).select_for_update().first()
            forgotten = here.failures - max(0, here.undecided - 1) if here else 1
            self._give_back(forgotten)

    def give_back(self) -> None:
        """Undo the try: its password was not judged."""
        with transaction.atomic():
            self._give_back(1)

    def _give_back(self, failures: int) -> None:
        for block in self.blocks:
            _rows(self.digest, block).update(
                failures=_minus("failures", failures), undecided=_minus("undecided", 1), locked_until=None
            )


def require_unlocked(name: str, request: HttpRequest) -> None:
    """Raise TooManyTries if a name is locked for this client; takes no try."""
    _require_unlocked(_digest(name), _blocks_of(request))


def begin_attempt(name: str, request: HttpRequest) -> LoginAttempt | None:
    """Take a try for a name in its canonical form. Returns None while tries that are not judged yet fill the limit.

    Raises TooManyTries while the name is locked.
    """
    attempt = LoginAttempt(_digest(name), _blocks_of(request))
    if _begin(attempt):
        return attempt
    _require_unlocked(attempt.digest, attempt.blocks)
    return None


class LoginWait:
    """The patience of one log-in for tries of others that are not judged yet; hold nothing shared meanwhile."""

    def __init__(self, name: str, request: HttpRequest) -> None:
        self._digest, self._blocks = _digest(name), _blocks_of(request)
        self._deadline = time.monotonic() + _PATIENCE_SECONDS

    def for_an_outcome(self) -> None:
        """Wait until a try may be taken.

        Raises TooManyTries once the name is locked, LoginBusy after ten seconds, or at once when a quarter of the
        threads wait.
        """
        with _waiting_slot():
            while time.monotonic() < self._deadline:
                release_database()
                time.sleep(_PAUSE_SECONDS)
                _require_unlocked(self._digest, self._blocks)
                if not _locks(self._digest, self._blocks).exists():
                    return
            raise LoginBusy


@contextmanager
def _waiting_slot() -> Iterator[None]:
    """Bound the threads that wait for tries of others, or one client would take every thread of the process."""
    global _waiting
    with _lock:
        if _waiting >= max(1, settings.WEB_THREADS // 4):
            raise LoginBusy
        _waiting += 1
    try:
        yield
    finally:
        with _lock:
            _waiting -= 1


def unlock(name: str) -> None:
    """Forget every failure of a name, so that it is locked nowhere."""
    for rows in _in_order_of_locking(LoginAttempts.objects.filter(name_digest=_digest(name))):
        rows.delete()


def expired_counts() -> list[QuerySet[Any]]:
    """Return the rows that bound nothing any more, in the order in which they may be deleted."""
    attempts = LoginAttempts.objects.filter(last_try_at__lte=_from_now(-KEEP_COUNTS_FOR))
    addresses = AddressTries.objects.filter(began_at__lte=_from_now(-2 * WINDOW))
    return [*_in_order_of_locking(attempts), addresses]


# --- Tries per name ------------------------------------------------------------------------------------


def _begin(attempt: LoginAttempt) -> bool:
    """Take the try in every count, or in none."""
    with transaction.atomic():
        for block in attempt.blocks:
            if not _count(attempt.digest, block, _limit_of(block)):
                transaction.set_rollback(True)
                return False
    return True


def _count(digest: str, block: str, limit: int) -> bool:
    """Add a failure unless the row is locked; the one that reaches the limit locks it."""
    lapsed = Q(last_try_at__lte=_from_now(-LOCKED_FOR)) | Q(locked_until__lte=Now())
    abandoned = Q(last_try_at__lte=_from_now(-_VERIFIED_WITHIN))
    free = _rows(digest, block).filter(Q(locked_until=None) | Q(locked_until__lte=Now()))
    values: dict[str, Any] = {
        "failures": Case(When(lapsed, then=Value(1)), default=F("failures") + 1),
        "undecided": Case(When(abandoned, then=Value(1)), default=F("undecided") + 1),
        "locked_until": Case(
            When(lapsed, then=Value(None)),
            When(failures__gte=limit - 1, then=_from_now(LOCKED_FOR)),
            default=Value(None),
            output_field=DateTimeField(),
        ),
        "last_try_at": Now(),
    }
    if free.update(**values):
        return True
    row = LoginAttempts(name_digest=digest, address_block=block, last_try_at=Now())
    LoginAttempts.objects.bulk_create([row], ignore_conflicts=True)
    return bool(free.update(**values))


def _require_unlocked(digest: str, blocks: Sequence[str]) -> None:
    """Raise TooManyTries if a lock stands. One whose tries are not all judged may be lifted yet."""
    judged = Q(undecided=0) | Q(last_try_at__lte=_from_now(-_VERIFIED_WITHIN))
    standing = _locks(digest, blocks).filter(judged)
    ends = standing.annotate(database_now=Now()).values_list("locked_until", "database_now")
    if rests := [end - now for end, now in ends if end is not None]:
        raise TooManyTries(int(max(rests).total_seconds()) + 1)


def _locks(digest: str, blocks: Sequence[str]) -> QuerySet[LoginAttempts]:
    """Return the rows of these blocks whose limit is reached, by whatever tries."""
    return LoginAttempts.objects.filter(name_digest=digest, address_block__in=blocks, locked_until__gt=Now())


def _blocks_of(request: HttpRequest) -> tuple[str, ...]:
    """Return the blocks that a try counts for, in the order in which their rows are locked: the smallest first."""
    address = client_address(request)
    small = address_block(address, ipv4_prefix=24)
    network = address_block(address, ipv4_prefix=16, ipv6_prefix=48)
    return (small, _EVERYWHERE) if small == network else (small, network, _EVERYWHERE)


def _limit_of(block: str) -> int:
    if block == _EVERYWHERE:
        return LIMIT_EVERYWHERE
    return LIMIT_OF_NETWORK if block.endswith(_NETWORKS) else LIMIT


def _in_order_of_locking(rows: QuerySet[LoginAttempts]) -> list[QuerySet[LoginAttempts]]:
    """Divide rows by the size of their block, the smallest first, as tries lock them."""
    everywhere = Q(address_block=_EVERYWHERE)
    networks = Q(*[Q(address_block__endswith=prefix) for prefix in _NETWORKS], _connector=Q.OR)
    return [rows.exclude(networks | everywhere), rows.filter(networks), rows.filter(everywhere)]


def _rows(digest: str, block: str) -> QuerySet[LoginAttempts]:
    return LoginAttempts.objects.filter(name_digest=digest, address_block=block)


def _digest(name: str) -> str:
    # Under SECRET_KEY: a new one forgets counts of minutes, and the audit's fingerprints stay apart.
    return salted_hmac("authn.lockout", name.encode("utf-8", "surrogatepass"), algorithm="sha256").hexdigest()


def _minus(column: str, number: int) -> Combinable:
    return Greatest(F(column) - number, Value(0))


def _from_now(distance: timedelta) -> Combinable:
    return ExpressionWrapper(Now() + distance, output_field=DateTimeField())


# --- Tries per address ---------------------------------------------------------------------------------


class LoginThrottle(BaseThrottle):
    """Bounds log-in tries per client address, so that one machine cannot try many names."""

    limit = TRIES_PER_WINDOW
    _rest: float | None = None

    def allow_request(self, request: Any, view: Any) -> bool:
        """Count a try. Returns False for one too many in a minute."""
        block = _client_of(request)
        if self._count(block):
            return True
        AddressTries.objects.bulk_create([AddressTries(address_block=block, began_at=Now())], ignore_conflicts=True)
        return self._count(block) or self._refuse(block)

    def wait(self) -> float | None:
        """Return the seconds until the next try, after one that was refused."""
        return self._rest

    def _count(self, block: str) -> bool:
        over = Q(began_at__lte=_from_now(-WINDOW))
        return bool(
            AddressTries.objects.filter(over | Q(tries__lt=self.limit), address_block=block).update(
                tries=Case(When(over, then=Value(1)), default=F("tries") + 1),
                began_at=Case(When(over, then=Now()), default=F("began_at")),
            )
        )

    def _refuse(self, block: str) -> bool:
        row = AddressTries.objects.filter(address_block=block).annotate(database_now=Now()).first()
        self._rest = max(1.0, (row.began_at + WINDOW - row.database_now).total_seconds()) if row else 1.0
        return False


class RefreshThrottle(LoginThrottle):
    """Stops a refresh where log-ins have used up the tries of an address, and takes none of them itself.

    A good refresh is no guess, and many clients refresh from one address. A refused one is counted
    by `count_refused`.
    """

    def allow_request(self, request: Any, view: Any) -> bool:
        """Return False if no try is left."""
        block, young = _client_of(request), Q(began_at__gt=_from_now(-WINDOW))
        used_up = AddressTries.objects.filter(young, address_block=block, tries__gte=self.limit)
        return self._refuse(block) if used_up.exists() else True


def count_refused(request: HttpRequest) -> None:
    """Count a refused refresh as a try to log in."""
    LoginThrottle().allow_request(request, None)


def _client_of(request: Any) -> str:
    return address_block(client_address(request), ipv4_prefix=32)

"""Browser log-ins: each has a LoginFamily, and its session ends with the family."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import login as django_login
from django.contrib.auth import logout as django_logout
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from authn import audit
from authn.browser.sessions import FAMILY_KEY
from authn.database.conflicts import retry_on_conflict
from authn.login import login_transaction
from authn.models import LoginFamily, User
from authn.principals import Principal, principal_for
from authn.users import hash_password, store_password

_BACKEND = "django.contrib.auth.backends.ModelBackend"


def log_in_browser(
    request: HttpRequest, user: User, *, family: LoginFamily | None = None, until: datetime | None = None
) -> None:
    """Start a browser session for a user whose password or tokens were checked.

    It belongs to `family`, or to a new one. It ends after SESSION_COOKIE_AGE, or at `until` if that is earlier.
    The browser's previous session ends, and the session key is new. Raises LoginRefused if the user was changed
    since the check.
    """
    with login_transaction(user, request=request):
        family = family or new_family(user)
        by = principal_for(user, request)
        _record(audit.Action.LOGIN, by, str(family.pk))
        start_session(request, user, family, until=until)


def new_family(user: User) -> LoginFamily:
    """Store a log-in with a browser session and no tokens."""
    life = timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return LoginFamily.objects.create(user=user, expires_at=timezone.now() + life)


def start_session(request: HttpRequest, user: User, family: LoginFamily, *, until: datetime | None = None) -> None:
    """Replace the browser's session with a new one of this log-in."""
    request.session.flush()
    _set_family(request, family, until)
    django_login(request, user, backend=_BACKEND)


def log_out_browser(request: HttpRequest) -> None:
    """End the browser's log-in, with every session and token of its family."""
    if isinstance(request.user, User):
        family_id = str(request.session[FAMILY_KEY])
        by = principal_for(request.user, request)
        with transaction.atomic():
            LoginFamily.objects.filter(pk=family_id, revoked_at=None).update(revoked_at=timezone.now())
            _record(audit.Action.LOGOUT, by, family_id)
    django_logout(request)


def change_password(request: HttpRequest, user: User, password: str) -> None:
    """Change the password of the logged-in user. Every log-in ends, and this browser gets a new one.

    Raises ValidationError for a weak password, LoginBusy.
    """
    hashed = hash_password(user, password)
    family = _store_change(user, hashed, by=principal_for(user, request))
    _set_family(request, family, None)
    update_session_auth_hash(request, family.user)


@retry_on_conflict
def _store_change(user: User, hashed: str, *, by: Principal) -> LoginFamily:
    with transaction.atomic():
        user = store_password(User.objects.select_for_update().get(pk=user.pk), hashed, by=by, how="changed")
        return new_family(user)


def _record(action: audit.Action, by: Principal, family_id: str) -> None:
    audit.record(action, audit.Outcome.GRANTED, by=by, target=by.audit_target, door="browser", family=family_id)


def _set_family(request: HttpRequest, family: LoginFamily, until: datetime | None) -> None:
    """Store the family and a fixed expiry in the session. Later requests do not extend it."""
    latest = timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    request.session[FAMILY_KEY] = str(family.pk)
    request.session.set_expiry(min(latest, until or latest))

"""Starts and ends the log-ins of browsers. Each has a family, and its session ends with the family."""

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
    """Start a session of this browser for a person whose password or tokens were checked.

    It belongs to `family`, or to a new one. It ends after SESSION_COOKIE_AGE, or at `until` if
    that is earlier. A session that the browser had before ends: the key of a log-in is always a new one.
    Raises LoginRefused when the person was changed since the check.
    """
    with login_transaction(user, request=request):
        family = family or new_family(user)
        by = principal_for(user, request)
        audit.record(audit.Action.LOGIN, audit.Outcome.GRANTED, by=by, door="browser", family=str(family.pk))
        start_session(request, user, family, until=until)


def new_family(user: User) -> LoginFamily:
    """Store a log-in that has a browser session and no tokens."""
    life = timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return LoginFamily.objects.create(user=user, expires_at=timezone.now() + life)


def start_session(request: HttpRequest, user: User, family: LoginFamily, *, until: datetime | None = None) -> None:
    """Replace the session of this browser by a new one of a log-in."""
    request.session.flush()
    _name_family(request, family, until)
    django_login(request, user, backend=_BACKEND)


def log_out_browser(request: HttpRequest) -> None:
    """End the log-in of this browser, with every session and token of its family."""
    if isinstance(request.user, User):
        family_id = str(request.session[FAMILY_KEY])
        by = principal_for(request.user, request)
        with transaction.atomic():
            LoginFamily.objects.filter(pk=family_id, revoked_at=None).update(revoked_at=timezone.now())
            audit.record(audit.Action.LOGOUT, audit.Outcome.GRANTED, by=by, door="browser", family=family_id)
    django_logout(request)


def change_password(request: HttpRequest, person: User, password: str) -> None:
    """Change the password of the person at this browser. Every log-in ends, and this browser gets a new one.

    Raises ValidationError for a weak password, LoginBusy.
    """
    hashed = hash_password(person, password)
    family = _store_change(person, hashed, by=principal_for(person, request))
    _name_family(request, family, None)
    update_session_auth_hash(request, family.user)


@retry_on_conflict
def _store_change(person: User, hashed: str, *, by: Principal) -> LoginFamily:
    with transaction.atomic():
        user = store_password(User.objects.select_for_update().get(pk=person.pk), hashed, by=by, how="changed")
        return new_family(user)


def _name_family(request: HttpRequest, family: LoginFamily, until: datetime | None) -> None:
    """Write into the session whose it is. Its end is fixed here: later requests do not put it off."""
    latest = timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    request.session[FAMILY_KEY] = str(family.pk)
    request.session.set_expiry(min(latest, until or latest))

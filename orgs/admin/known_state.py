"""What the desk knows about its credentials, and since when: the notes of the panel "Needs attention".

"All credentials are healthy" is said only if each was checked lately, no last attempt failed and the desk can record
failures. Otherwise the notes say what is known and of which time it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict, cast

from django.db import Error
from django.db.models import Count, Max, Min, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from authn import audit
from authn.console.admin_base import timestamp
from authn.database.failures import lock_wait
from authn.errors import AuditUnavailable
from authn.models import AuditEvent
from orgs.admin.attention import is_stored_for_an_org, last_refresh_failed
from orgs.credentials.failures import BY_CODE
from orgs.credentials.models import Credential, Health

# An older check says little about the present.
STALE_AFTER = timedelta(hours=24)
_LOCK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence about all credentials; `tone` is "good", "bad", "warn" or "calm"."""

    tone: str
    text: str


class Facts(TypedDict):
    """Numbers and times of the credentials of registered orgs and pool instances."""

    total: int
    failed: int
    last_failure: datetime | None
    last_success: datetime | None
    stale: int
    oldest: datetime | None


def notes(*, needs_attention: bool) -> list[Note]:
    """Return the notes; `needs_attention` says that the panel lists credentials that need an owner."""
    facts = _facts()
    found = [*_database_note(), *_credential_notes(facts)]
    if found or needs_attention:
        return found
    if not facts["total"]:
        return [Note("calm", "No org is registered yet.")]
    text = "All credentials are healthy. The oldest check was at {}."
    return [Note("good", format_html(text, _time(facts["oldest"])))]


def _database_note() -> Iterator[Note]:
    if _is_writable():
        return
    newest = AuditEvent.objects.order_by("-id").values_list("at", flat=True).first()
    text = "The database cannot be written: no credential is issued, and no failure is recorded. "
    yield Note("bad", format_html("{}What this page shows is of {}.", text, _time(newest)))


def _is_writable() -> bool:
    try:
        with lock_wait(_LOCK_SECONDS):
            audit.check_writable()
    except (AuditUnavailable, Error):
        return False
    return True


def _facts() -> Facts:
    is_usable = ~Q(health__in=[Health.EXPIRED, Health.UNVERIFIED])
    since = timezone.now() - STALE_AFTER
    found = _credentials().aggregate(
        total=Count("pk"),
        failed=Count("pk", filter=last_refresh_failed()),
        last_failure=Max("last_checked_at", filter=last_refresh_failed()),
        last_success=Max("last_success_at"),
        stale=Count("pk", filter=is_usable & Q(last_checked_at__lt=since)),
        oldest=Min("last_checked_at", filter=is_usable),
    )
    return cast(Facts, found)


def _credential_notes(facts: Facts) -> Iterator[Note]:
    if facts["failed"]:
        yield _failure_note(facts["failed"], facts["last_failure"], facts["last_success"])
    if facts["stale"]:
        yield _stale_note(facts["stale"], facts["oldest"])


def _failure_note(count: int, last_failure: datetime | None, last_success: datetime | None) -> Note:
    outcomes = _credentials().filter(last_refresh_failed()).order_by().values_list("outcome")
    code = outcomes.annotate(count=Count("pk")).order_by("-count", "outcome")[0][0]
    return Note(
        "warn",
        format_html(
            'The last refresh of <a href="{}?attention=temporary">{}</a> failed, at {}. {} The last refresh '
            "that worked was at {}. The desk tries again at the next request.",
            reverse("admin:orgs_salesforceorg_changelist"),
            "1 credential" if count == 1 else f"{count} credentials",
            _time(last_failure),
            BY_CODE[code].message if code in BY_CODE else "",
            _time(last_success),
        ),
    )


def _stale_note(count: int, oldest: datetime | None) -> Note:
    were = "1 credential was" if count == 1 else f"{count} credentials were"
    return Note(
        "warn",
        format_html(
            "{} last checked more than a day ago, the oldest at {}. Test the connections in the list of orgs, or run "
            "<code>manage.py check_connections</code> daily.",
            were,
            _time(oldest),
        ),
    )


def _credentials() -> QuerySet[Credential]:
    return Credential.objects.filter(is_stored_for_an_org())


def _time(at: datetime | None) -> str:
    return timestamp(at, " UTC") if at else "an unknown time"

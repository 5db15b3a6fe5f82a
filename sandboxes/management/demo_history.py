"""Two weeks of history for the audit of the demo, so that charts and lists are not empty at its first start.

`manage.py prepare_demo` writes it, before any other row. Each row has `{"demo": "history"}` in its details.
"""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from authn import audit
from authn.audit import Action, Outcome
from authn.errors import RoleRequired
from authn.models import AuditEvent
from authn.principals import Principal
from authn.roles import Role
from orgs.errors import HasChildren, OrgNotFound

DAYS = 14
_SEED = 20260101  # The same rows at each first start of a day.
_SATURDAY = 5
_MARK = "history"


@dataclass(frozen=True, slots=True)
class _Caller:
    """A principal of the history: of which orgs it gets access tokens, and how many on working and other days."""

    principal: Principal
    orgs: tuple[str, ...]
    working_day: int
    weekend: int = 0


def _user(email: str, role: Role, address: str) -> Principal:
    return Principal("user", _id(email), email, role, address)


def _application(name: str, address: str) -> Principal:
    return Principal("application", _id(name), name, Role.APPLICATION, address)


def _id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"demo:{name}"))


_HUB, _EMEA = "devhub@acme.example", "emea@acme.example"
_QA, _UAT = f"{_HUB}.qa", f"{_HUB}.uat"
_MEMBER = _user("member@acme.example", Role.MEMBER, "10.1.0.23")
_OWNER = _user("owner@acme.example", Role.OWNER, "10.1.0.17")
_RELEASE = _application("release pipeline", "10.2.0.4")
_CALLERS = (
    _Caller(_application("pull requests", "10.2.0.5"), (_QA,), 14, 2),
    _Caller(_application("nightly build", "10.2.0.6"), (_HUB, _EMEA, _UAT), 6, 6),
    _Caller(_RELEASE, (_HUB,), 5),
    _Caller(_OWNER, (_HUB, _EMEA), 3),
)


def write_history(now: datetime | None = None) -> None:
    """Store the rows of the last 14 days up to `now`, in the order of their times. Nothing if the audit has rows."""
    if AuditEvent.objects.exists():
        return
    now = now or timezone.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    rows = [row for back in range(DAYS) for row in _rows_of(midnight - timedelta(days=back)) if row.at < now]
    audit.record_all(sorted(rows, key=lambda row: row.at))


def _rows_of(day: datetime) -> Iterator[AuditEvent]:
    """Return the rows of one day: access tokens of all callers, and some refusals."""
    draw = random.Random(f"{_SEED}:{day:%Y-%m-%d}")  # noqa: S311 -- made-up data
    is_weekend = day.weekday() >= _SATURDAY
    for caller in _CALLERS:
        most = caller.weekend if is_weekend else caller.working_day
        for _ in range(draw.randint(most // 2, most)):
            yield _row(
                Action.ACCESS_TOKEN, Outcome.GRANTED, caller.principal, _time(day, draw), draw.choice(caller.orgs)
            )
    if is_weekend:
        return
    for _ in range(draw.randint(0, 2)):
        yield _row(Action.REQUEST, Outcome.REFUSED, _MEMBER, _time(day, draw), code=RoleRequired.code)
    if draw.random() < 1 / 3:
        yield _row(Action.REQUEST, Outcome.REFUSED, _RELEASE, _time(day, draw), code=OrgNotFound.code)
    if draw.random() < 1 / 4:
        yield _row(Action.REQUEST, Outcome.REFUSED, _OWNER, _time(day, draw), code=HasChildren.code)


def _row(action: Action, outcome: Outcome, by: Principal, at: datetime, org: str = "", *, code: str = "") -> AuditEvent:
    row = audit.event(action, outcome, by=by, target=audit.org_named(org) if org else None, code=code, demo=_MARK)
    row.at = at
    return row


def _time(day: datetime, draw: random.Random) -> datetime:
    """Return a time of the working hours of a day."""
    return day + timedelta(seconds=draw.randint(6 * 3600, 19 * 3600), microseconds=draw.randint(0, 999_999))

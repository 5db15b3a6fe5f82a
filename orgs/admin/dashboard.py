"""Dashboard panels about credentials: how many orgs are in each state, and which credentials need an owner."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.safestring import SafeString

from authn.console.admin_base import format_code
from authn.console.charts import Bar, bars
from orgs.credentials.errors import CredentialRefused, SalesforceRefused
from orgs.credentials.failures import BY_CODE
from orgs.credentials.models import Credential, Health
from orgs.models import SalesforceOrg

TONES = {
    Health.HEALTHY: "good",
    Health.FAILING: "warn",
    Health.UNCERTAIN: "warn",
    Health.EXPIRED: "bad",
    Health.UNVERIFIED: "calm",
}
_MAX_ALERTS = 20
# Failures that do not pass by themselves: an owner or an operator must act.
_NEEDS_ACTION = [
    code for code, failure in BY_CODE.items() if issubclass(failure.raises, CredentialRefused | SalesforceRefused)
]
_REGISTER_OR_DELETE = "Register the org again, or delete it."
# States that are not refresh failures and have no error code: message and action.
_OTHER_ADVICE = {
    "REVOKED": ("The refresh token was revoked by Frontdesk.", _REGISTER_OR_DELETE),
    "NO_KEY": ("No credential is stored for this org.", _REGISTER_OR_DELETE),
    "UNVERIFIED": ("The credential was never verified with Salesforce.", "Test the connection."),
}


def orgs_by_health() -> dict[str, object]:
    """Return the number of orgs in each health state, each with a link to the filtered list."""
    counted = dict(SalesforceOrg.objects.order_by().values_list("credential__health").annotate(Count("id")))
    orgs = reverse("admin:orgs_salesforceorg_changelist")
    rows = [
        Bar(
            str(state.label),
            counted.get(state.value, 0),
            TONES[state],
            f"{orgs}?credential__health__exact={state.value}",
        )
        for state in (Health.HEALTHY, Health.FAILING, Health.UNCERTAIN, Health.EXPIRED, Health.UNVERIFIED)
    ]
    if counted.get(None):
        rows.append(Bar("No credential", counted[None], "bad", orgs))
    return {"bars": bars(rows), "total": sum(counted.values()), "what": "State", "unit": "Orgs"}


# --- Credentials that need attention -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Advice:
    """A problem of a credential: its code, a message, and what to do about it."""

    code: str
    message: str
    action: SafeString


@dataclass(frozen=True, slots=True)
class CredentialAlert:
    """An entry of the panel "Needs attention": the row that owns the credential, its state, and the advice."""

    name: str
    link: str
    state: str
    tone: str
    code: str = ""
    message: str = ""
    action: str = ""


# Returns at most the given number of alerts about one model, expired credentials first.
AlertSource = Callable[[int], list[CredentialAlert]]

_sources: list[AlertSource] = []


def add_alerts(source: AlertSource) -> None:
    """Add the alerts about another model to the panel. Call it while the app's admin module loads."""
    _sources.append(source)


def credential_alerts() -> dict[str, object]:
    """Return the alerts of all sources, and whether there are more than the panel shows."""
    alerts = [alert for source in _sources for alert in source(_MAX_ALERTS + 1)]
    return {"needs": alerts[:_MAX_ALERTS], "more": len(alerts) > _MAX_ALERTS}


def org_alerts(limit: int) -> list[CredentialAlert]:
    """Return alerts about registered orgs, at most `limit`, expired credentials first."""
    orgs = SalesforceOrg.objects.with_related().filter(Q(credential=None) | needs_attention(include_unverified=True))
    rows = orgs.order_by("credential__health", "username")[:limit]
    return [
        alert_for(org.credential, org.username, reverse("admin:orgs_salesforceorg_change", args=[org.pk]))
        for org in rows
    ]


def needs_attention(*, include_unverified: bool) -> Q:
    """Return the filter for rows whose credential stays unusable until an owner or operator acts."""
    states = [Health.EXPIRED, Health.UNVERIFIED] if include_unverified else [Health.EXPIRED]
    failing = Q(credential__health=Health.FAILING, credential__reason__in=_NEEDS_ACTION)
    return Q(credential__health__in=states) | failing


def alert_for(credential: Credential | None, name: str, link: str, *, renewal: str = "") -> CredentialAlert:
    """Return the alert about the credential of one row.

    `renewal` replaces the advised action where the credential needs a new auth URL.
    """
    state, tone = health_badge(credential)
    found = advice(credential)
    if found is None:
        return CredentialAlert(name, link, state, tone)
    failure = BY_CODE.get(found.code)
    action = format_code(renewal) if renewal and failure and failure.needs_auth_url else found.action
    return CredentialAlert(name, link, state, tone, found.code, found.message, action)


def health_badge(credential: Credential | None) -> tuple[str, str]:
    """Return the label and the tone of a credential's health."""
    if credential is None:
        return "No credential", "bad"
    health = Health(credential.health)
    return str(health.label), TONES[health]


def advice(credential: Credential | None) -> Advice | None:
    """Return what is wrong with a credential and what to do, or None if nothing is wrong."""
    if credential is None:
        code = "NO_KEY"
    elif credential.health == Health.UNVERIFIED:
        code = "UNVERIFIED"
    else:
        code = credential.reason
    if failure := BY_CODE.get(code):
        message, action = failure.message, failure.page_action or failure.action
    elif code in _OTHER_ADVICE:
        message, action = _OTHER_ADVICE[code]
    else:
        return None
    return Advice(code, message, format_code(action))

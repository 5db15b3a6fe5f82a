"""Dashboard panels about credentials: how many orgs are in each state, and which credentials need an owner."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.db.models import Count
from django.urls import reverse
from django.utils.safestring import SafeString

from authn.console.admin_base import format_code
from authn.console.charts import Bar, bars
from authn.console.first_steps import FirstStep
from orgs.admin.attention import org_needs_owner
from orgs.admin.known_state import notes
from orgs.credentials.failures import BY_CODE
from orgs.credentials.models import Credential, Health
from orgs.credentials.outcome_storage import HOST_NOT_FOUND
from orgs.models import SalesforceOrg, SalesforceOrgQuerySet

TONES = {
    Health.HEALTHY: "good",
    Health.FAILING: "warn",
    Health.UNCERTAIN: "warn",
    Health.EXPIRED: "bad",
    Health.UNVERIFIED: "calm",
}
_MAX_ALERTS = 20
_REGISTER_OR_DELETE = "Register the org again, or delete it."
# States that are not refresh failures and have no error code: message and action.
_OTHER_ADVICE = {
    "REVOKED": ("The refresh token was revoked by Frontdesk.", _REGISTER_OR_DELETE),
    "NO_KEY": ("No credential is stored for this org.", _REGISTER_OR_DELETE),
    HOST_NOT_FOUND: (
        "The host of this org has not resolved for a day or longer.",
        "Its My Domain may have been renamed or deleted: register the org again with a new auth URL, or delete it. If "
        "other hosts do not resolve either, an operator must repair the DNS.",
    ),
    "UNVERIFIED": ("The credential was never verified with Salesforce.", "Test the connection."),
}

FIRST_STEP = FirstStep(
    title="Register a DevHub",
    text="Paste its auth URL from the Salesforce CLI. Its sandboxes and scratch orgs are then reached through it.",
    url=lambda: f"{reverse('admin:orgs_salesforceorg_add')}?default-devhub=1",
    is_done=lambda: SalesforceOrg.objects.filter(is_dev_hub=True).exists(),
    place=10,
)


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
    is_default: bool = False
    register_again: str = ""  # The URL of the page that registers the org again, if that is what helps.


@dataclass(frozen=True, slots=True)
class AlertSource:
    """The alerts about one model: at most as many as requested, their total, and the list that has them all.

    `noun` names a row of the model, in singular and plural.
    """

    noun: tuple[str, str]
    alerts: Callable[[int], list[CredentialAlert]]
    count: Callable[[], int]
    address: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Rest:
    """The alerts of one source that the panel does not show."""

    count: int
    noun: str
    link: str


_sources: list[AlertSource] = []


def add_alerts(source: AlertSource) -> None:
    """Add the alerts about another model to the panel. Call it while the app's admin module loads."""
    _sources.append(source)


def credential_alerts() -> dict[str, object]:
    """Return the alerts of all sources, what is known of the other credentials, and how many alerts there are more."""
    shown: list[CredentialAlert] = []
    more: list[Rest] = []
    for source in _sources:
        room = _MAX_ALERTS - len(shown)
        alerts = source.alerts(room)
        shown += alerts
        if len(alerts) == room and (rest := source.count() - len(alerts)) > 0:
            more.append(Rest(rest, source.noun[rest > 1], source.address()))
    return {"needs": shown, "more": more, "notes": notes(needs_attention=bool(shown))}


def _orgs_with_alerts() -> SalesforceOrgQuerySet:
    return SalesforceOrg.objects.filter(org_needs_owner())


def _org_alerts(limit: int) -> list[CredentialAlert]:
    """Return at most `limit` alerts: the default DevHub first, then expired credentials."""
    orgs = _orgs_with_alerts().with_related().order_by("-is_default", "credential__health", "username")
    return [_org_alert(org) for org in orgs[:limit]]


def _org_alert(org: SalesforceOrg) -> CredentialAlert:
    alert = alert_for(org.credential, org.username, reverse("admin:orgs_salesforceorg_change", args=[org.pk]))
    return replace(alert, is_default=org.is_default, register_again=register_again_url(org))


def register_again_url(org: SalesforceOrg) -> str:
    """Return the URL of the page that registers an org again, "" if its credential has not expired."""
    if org.credential is not None and org.credential.health != Health.EXPIRED:
        return ""
    return f"{reverse('admin:orgs_salesforceorg_add')}?{urlencode({'username': org.username})}"


ORG_ALERTS = AlertSource(
    noun=("org", "orgs"),
    alerts=_org_alerts,
    count=lambda: _orgs_with_alerts().count(),
    address=lambda: f"{reverse('admin:orgs_salesforceorg_changelist')}?attention=owner",
)


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
    if credential is not None and credential.outcome_detail and code in (credential.outcome, HOST_NOT_FOUND):
        message = f"{message} {credential.outcome_detail}"
    return Advice(code, message, format_code(action))

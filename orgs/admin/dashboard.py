"""The dashboard's view of orgs: how they are, and which of them need an owner's hand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse

from authn.console.admin_base import format_code
from authn.console.charts import Bar, bars
from orgs.credentials.errors import CredentialRefused, SalesforceRefused
from orgs.credentials.failures import BY_CODE
from orgs.credentials.models import Health
from orgs.models import SalesforceOrg

TONES = {"healthy": "good", "failing": "warn", "uncertain": "warn", "expired": "bad", "unverified": "calm"}
_SHOWN = 20
# Reasons that no waiting mends.
_BY_HAND = [
    code for code, ending in BY_CODE.items() if issubclass(ending.raises, CredentialRefused | SalesforceRefused)
]
# Where the ending's own words are about the API.
_RENEWED = ("CREDENTIAL_EXPIRED", "LOST_ANSWER", "ORG_ID_MISMATCH")
_LOG_IN_AGAIN = "Log in to the org anew with `sf org login web`, then register it again here."
_OTHER_ADVICE = {
    "REVOKED": ("The refresh token was revoked from here.", "Register the org again, or delete it."),
    "NO_KEY": ("No key is stored for this org.", "Register the org again, or delete it."),
    "UNVERIFIED": ("Salesforce was never asked about this org.", "Test its connection."),
}


def orgs_by_health() -> dict[str, Any]:
    """Return how many orgs there are in each state, each with a link to them."""
    counted = dict(SalesforceOrg.objects.order_by().values_list("credential__health").annotate(Count("id")))
    orgs = reverse("admin:orgs_salesforceorg_changelist")
    rows = [
        Bar(
            str(state.label),
            counted.get(state.value, 0),
            TONES[state.value],
            f"{orgs}?credential__health__exact={state.value}",
        )
        for state in (Health.HEALTHY, Health.FAILING, Health.UNCERTAIN, Health.EXPIRED, Health.UNVERIFIED)
    ]
    if counted.get(None):
        rows.append(Bar("No key", counted[None], "bad", orgs))
    return {"bars": bars(rows), "total": sum(counted.values()), "what": "State", "unit": "Orgs"}


@dataclass(frozen=True, slots=True)
class Need:
    """A credential that needs an owner's hand: whose it is, what is wrong, and what to do."""

    name: str
    link: str
    state: str
    tone: str
    code: str
    message: str
    action: str


# Each returns the needs of one kind of row, the dead first, at most so many.
_sources: list[Callable[[int], list[Need]]] = []


def add_needs(source: Callable[[int], list[Need]]) -> None:
    """Show needs of another kind of row as well. Call it in an app's admin.py."""
    _sources.append(source)


def in_need() -> dict[str, Any]:
    """Return whose credential needs an owner's hand, with what to do."""
    needs = [need for source in _sources for need in source(_SHOWN + 1)]
    return {"needs": needs[:_SHOWN], "more": len(needs) > _SHOWN}


def orgs_in_need(most: int) -> list[Need]:
    """Return the registered orgs whose credential needs an owner's hand, the dead first."""
    needy = SalesforceOrg.objects.for_answers().filter(Q(credential=None) | needs_attention(unverified=True))
    rows = needy.order_by("credential__health", "username")[:most]
    return [need_of(org, org.username, reverse("admin:orgs_salesforceorg_change", args=[org.pk])) for org in rows]


def needs_attention(*, unverified: bool) -> Q:
    """Return the condition that a row's credential is one that no waiting mends."""
    states = [Health.EXPIRED, Health.UNVERIFIED] if unverified else [Health.EXPIRED]
    return Q(credential__health__in=states) | Q(credential__health=Health.FAILING, credential__reason__in=_BY_HAND)


def need_of(row: Any, name: str, link: str, *, action: str = "") -> Need:
    """Return the need of a row with `credential`; `action` is what to do where the key is to be renewed."""
    told = advice(row)
    renewed = format_code(action) if action and told["code"] in _RENEWED else told["action"]
    return Need(name, link, *state_of(row), told["code"], told["message"], renewed)


def state_of(row: Any) -> tuple[str, str]:
    """Return the state of a row's credential in a word, and its tone."""
    if row.credential is None:
        return "No key", "bad"
    return Health(row.credential.health).label, TONES[row.credential.health]


def advice(row: Any) -> dict[str, Any]:
    """Return code, message and action for what is wrong with a row's credential; nothing if nothing is."""
    credential = row.credential
    if credential is None:
        code = "NO_KEY"
    elif credential.health == Health.UNVERIFIED:
        code = "UNVERIFIED"
    else:
        code = credential.reason
    if ending := BY_CODE.get(code):
        message, action = ending.message, _LOG_IN_AGAIN if code in _RENEWED else ending.action
    elif code in _OTHER_ADVICE:
        message, action = _OTHER_ADVICE[code]
    else:
        return {}
    return {"code": code, "message": message, "action": format_code(action)}

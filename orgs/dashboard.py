"""The dashboard's view of orgs: how they are, and which of them need an owner's hand."""

from typing import Any

from django.db.models import Count, Q
from django.urls import reverse

from authn.charts import Bar, bars
from authn.console_pages import with_code
from orgs.endings import BY_CODE
from orgs.errors import CredentialRefused, SalesforceRefused
from orgs.models import Health, SalesforceOrg

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


def orgs_in_need() -> dict[str, Any]:
    """Return the orgs whose credential needs an owner's hand, the dead first, with what to do."""
    needy = SalesforceOrg.objects.for_answers().filter(
        Q(credential=None)
        | Q(credential__health__in=[Health.EXPIRED, Health.UNVERIFIED])
        | Q(credential__health=Health.FAILING, credential__reason__in=_BY_HAND)
    )
    rows = list(needy.order_by("credential__health", "username")[: _SHOWN + 1])
    return {"orgs": [(org, state_of(org), advice(org)) for org in rows[:_SHOWN]], "more": len(rows) > _SHOWN}


def state_of(org: SalesforceOrg) -> tuple[str, str]:
    """Return the state of an org's credential in a word, and its tone."""
    if org.credential is None:
        return "No key", "bad"
    return Health(org.credential.health).label, TONES[org.credential.health]


def advice(org: SalesforceOrg) -> dict[str, Any]:
    """Return code, message and action for what is wrong with an org's credential; nothing if nothing is."""
    credential = org.credential
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
    return {"code": code, "message": message, "action": with_code(action)}

"""The dashboard: what needs attention, in which order, and what is known of the rest."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from authn.roles import Role
from orgs.credentials.models import Credential
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Fault
from tests.orgs.factories import a_registered_org
from tests.support.audit_faults import rows_refused
from tests.support.browser_client import Visitor, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]
ORGS = "/console/orgs/salesforceorg/"
HEALTHY = "All credentials are healthy."


@pytest.fixture
def console(a_person) -> Visitor:
    return Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))


def _attention(console: Visitor) -> str:
    page = text_of(console.get("/console/"))
    return page.split("Needs attention</h2>")[1].split("</section>")[0]


def _names(panel: str) -> list[str]:
    return re.findall(r'alerts-head"><a href="[^"]+">([^<]+)</a>', panel)


def _expire(username: str, reason: str = "CREDENTIAL_EXPIRED") -> None:
    rows = Credential.objects.filter(org__username=username)
    rows.update(health="expired", reason=reason, outcome=reason)


def _dead_orgs(count: int) -> None:
    for number in range(count):
        credential = Credential.objects.create(health="expired", reason="CREDENTIAL_EXPIRED")
        SalesforceOrg.objects.create(
            username=f"a{number:02}@acme.example", instance_url="https://acme.my.salesforce.com", credential=credential
        )


# --- What needs attention ---------------------------------------------------------------------------


def test_the_default_dev_hub_stands_first(console, owner, salesforce):
    a_registered_org(owner, salesforce, "zz@acme.example", isDevHub=True, isDefault=True)
    Credential.objects.update(health="failing", reason="TLS_FAILED")
    _dead_orgs(3)

    panel = _attention(console)

    assert _names(panel) == ["zz@acme.example", "a00@acme.example", "a01@acme.example", "a02@acme.example"]
    assert panel.count("Default DevHub") == 1


def test_the_number_of_further_orgs_is_shown_and_leads_to_them(console):
    _dead_orgs(27)

    panel = _attention(console)

    assert len(_names(panel)) == 20
    assert f'<a href="{ORGS}?attention=owner">and 7 more orgs</a>' in panel
    listed = text_of(console.get(ORGS, attention="owner"))
    assert "27 results" in listed


def test_one_further_org_is_counted_in_the_singular(console):
    _dead_orgs(21)

    assert "and 1 more org</a>" in _attention(console)


def test_no_further_ones_are_mentioned_when_all_are_shown(console):
    _dead_orgs(20)

    assert " more org" not in _attention(console)


def test_an_expired_org_offers_to_register_it_again_first(console, owner, salesforce):
    a_registered_org(owner, salesforce)
    _expire("ci@acme.example")
    org = SalesforceOrg.objects.get()

    again = f'href="{ORGS}add/?username=ci%40acme.example"'
    assert again in _attention(console)
    page = text_of(console.get(f"{ORGS}{org.pk}/change/"))
    buttons = page.split('class="button-row button-row-top"')[1].split("</div>")[0]
    assert re.findall(r">([A-Z][a-z ]+)</(?:a|button)>", buttons)[:2] == ["Register again", "Open in a new tab"]
    assert f'class="button" {again}' in buttons


def test_a_healthy_org_offers_to_open_it_first(console, owner, salesforce):
    a_registered_org(owner, salesforce)

    page = text_of(console.get(f"{ORGS}{SalesforceOrg.objects.get().pk}/change/"))

    buttons = page.split('class="button-row button-row-top"')[1].split("</div>")[0]
    assert re.findall(r">([A-Z][a-z ]+)</(?:a|button)>", buttons)[0] == "Open in a new tab"
    assert buttons.count("Register again") == 1


# --- What is known of the rest ----------------------------------------------------------------------


def test_all_credentials_are_healthy_right_after_they_were_checked(console, owner, salesforce):
    a_registered_org(owner, salesforce)

    assert HEALTHY in _attention(console)


def test_without_an_org_nothing_is_called_healthy(console):
    panel = _attention(console)

    assert "No org is registered yet." in panel
    assert HEALTHY not in panel


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault.no_name(), "Salesforce cannot be reached from this desk."),
        (Fault.html_maintenance(), "Salesforce is down for maintenance."),
    ],
    ids=["unreachable", "maintenance"],
)
def test_during_an_outage_nothing_is_called_healthy(fault, message, console, owner, application, salesforce):
    a_registered_org(owner, salesforce)
    succeeded_at = Credential.objects.get().last_success_at
    salesforce.inject(fault, path="/services/oauth2/token")
    response = application.post("/sfp/api/auth/salesforce/access-token", username="ci@acme.example")
    assert response.status_code == 503

    panel = _attention(console)

    assert HEALTHY not in panel
    assert message in panel
    assert "1 credential</a> failed, at " in panel
    assert succeeded_at is not None
    assert f'The last refresh that worked was at <time datetime="{succeeded_at.isoformat()}' in panel
    assert "ci@acme.example" in text_of(console.get(ORGS, attention="temporary"))


def test_after_the_outage_the_credential_is_healthy_again(console, owner, application, salesforce):
    a_registered_org(owner, salesforce)
    salesforce.inject(Fault.html_maintenance(), path="/services/oauth2/token")
    for _ in range(2):
        application.post("/sfp/api/auth/salesforce/access-token", username="ci@acme.example")

    assert HEALTHY in _attention(console)


def test_credentials_that_were_not_checked_for_a_day_are_not_called_healthy(console, owner, salesforce):
    a_registered_org(owner, salesforce)
    checked_at = timezone.now() - timedelta(hours=25)
    Credential.objects.update(last_checked_at=checked_at)

    panel = _attention(console)

    assert HEALTHY not in panel
    assert (
        f'1 credential was last checked more than a day ago, the oldest at <time datetime="{checked_at.isoformat()}'
        in panel
    )
    assert "<code>manage.py check_connections</code>" in panel


def test_while_the_database_cannot_be_written_nothing_is_called_healthy(console, owner, salesforce):
    a_registered_org(owner, salesforce)

    with rows_refused():
        panel = _attention(console)

    assert HEALTHY not in panel
    assert "The database cannot be written: no credential is issued" in panel
    assert "What this page shows is of <time" in panel

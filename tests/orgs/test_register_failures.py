"""Registrations that Salesforce refuses or that fail on the way: nothing is stored, and no registered org changes."""

import pytest

from orgs.credentials.models import Credential, KnownToken
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Fault
from tests.orgs.factories import ORG, REGISTER, a_registered_org, an_org

pytestmark = pytest.mark.django_db


def _dead(org):
    org.revoke_all()


def _inactive(org):
    org.users[0].deactivate()


def _locked(org):
    org.suspend()


def _uninstalled(org):
    org.emulator.apps["PlatformCLI"].installed = False


def _restricted(org):
    org.ip_restricted = True


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_dead, "CREDENTIAL_EXPIRED"),
        (_inactive, "USER_INACTIVE"),
        (_locked, "ORG_GONE"),
        (_uninstalled, "APP_NOT_INSTALLED"),
        (_restricted, "IP_NOT_ALLOWED"),
    ],
)
def test_a_permanent_failure_is_400_and_nothing_is_stored(owner, salesforce, spoil, code):
    org = an_org(salesforce)
    url = org.auth_url()
    spoil(org)

    response = owner.post(REGISTER, {"sfdxAuthUrl": url})

    assert response.status_code == 400, response
    assert response.json()["code"] == code
    assert response.json()["action"]
    assert SalesforceOrg.objects.count() == Credential.objects.count() == KnownToken.objects.count() == 0


@pytest.mark.parametrize(
    ("fault", "status", "code", "retry_after"),
    [
        (Fault.html_maintenance(), 503, "UPSTREAM_MAINTENANCE", "60"),
        (Fault.status(500), 503, "UPSTREAM_ERROR", "30"),
        (Fault.no_name(), 503, "UPSTREAM_UNREACHABLE", "30"),
        (Fault.oauth("invalid_grant", "token request is already being processed"), 503, "REFRESH_IN_PROGRESS", "1"),
        (Fault.oauth("invalid_grant", "login rate exceeded"), 429, "UPSTREAM_LOGIN_LIMIT", "3600"),
        (Fault.hang(60), 504, "UPSTREAM_TIMEOUT", None),
        (Fault.body(b"{}"), 502, "UPSTREAM_UNREADABLE", None),
        (Fault.fields(instance_url="https://evil.example"), 502, "UPSTREAM_UNTRUSTED_URL", None),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else None,
)
def test_a_temporary_failure_stores_no_org(owner, salesforce, fault, status, code, retry_after):
    org = an_org(salesforce)
    salesforce.inject(fault, path="/services/oauth2/token")

    response = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    assert response.status_code == status, response
    assert response.json()["code"] == code
    assert response.headers.get("Retry-After") == retry_after
    assert SalesforceOrg.objects.count() == 0


@pytest.mark.database
def test_a_failure_after_the_refresh_deletes_a_credential_that_did_not_rotate(owner, salesforce):
    org = an_org(salesforce)
    salesforce.inject(Fault.status(500), path="/services/data")

    response = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    assert response.status_code == 503
    assert SalesforceOrg.objects.count() == Credential.objects.count() == 0


@pytest.mark.database
def test_a_failed_registration_does_not_change_a_registered_org(owner, salesforce):
    org = a_registered_org(owner, salesforce, metadata={"team": "core"})
    before = owner.get(ORG, username=org.username, authType="accessToken").json()
    refused = org.auth_url()
    salesforce.end_grants(lambda grant: grant is salesforce.family_of(refused))

    response = owner.post(REGISTER, {"sfdxAuthUrl": refused, "metadata": {"team": "other"}})

    after = owner.get(ORG, username=org.username, authType="accessToken").json()
    assert response.status_code == 400
    assert after["metadata"] == before["metadata"] == {"team": "core"}
    assert after["accessToken"]

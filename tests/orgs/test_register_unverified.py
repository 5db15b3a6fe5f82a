"""POST .../register with skipValidation: an org is stored without a call to Salesforce."""

import pytest

from orgs.credentials.models import Credential, KnownToken
from orgs.models import SalesforceOrg
from tests.orgs.factories import ACCESS_TOKEN, ORG, REGISTER, TEST_CONNECTION, an_org

pytestmark = pytest.mark.django_db


@pytest.fixture
def unverified(owner, salesforce, settings):
    settings.ALLOW_SKIP_VALIDATION = True
    org = an_org(salesforce)
    body = {"sfdxAuthUrl": org.auth_url(), "username": org.username, "skipValidation": True}
    response = owner.post(REGISTER, body)
    assert response.status_code == 201, response
    return response.json()


@pytest.mark.database
def test_an_unverified_org_is_stored_with_empty_details(unverified, salesforce):
    assert unverified["orgId"] == unverified["organizationType"] == unverified["instanceName"] == ""
    assert unverified["health"]["state"] == "unverified"
    assert salesforce.calls == []


@pytest.mark.parametrize("query", [{}, {"authType": "accessToken"}, {"authType": "sfdxAuthUrl"}])
def test_no_credential_of_an_unverified_org_is_issued(owner, salesforce, unverified, query):
    response = owner.get(ORG, username="ci@acme.example", **query)

    assert not {"accessToken", "sfdxAuthUrl"} & set(response.json())
    assert response.json().get("authError", response.json())["code"] == "ORG_UNVERIFIED"
    assert salesforce.calls == []


@pytest.mark.database
def test_a_connection_test_verifies_an_org(owner, unverified, salesforce):
    response = owner.post(TEST_CONNECTION, username="ci@acme.example")

    assert response.json()["isValid"] is True
    assert response.json()["organizationType"] == "Enterprise Edition"
    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200


def test_an_org_of_another_user_is_not_verified(owner, salesforce, settings):
    settings.ALLOW_SKIP_VALIDATION = True
    body = {"sfdxAuthUrl": an_org(salesforce).auth_url(), "username": "x@acme.example", "skipValidation": True}
    owner.post(REGISTER, body)

    response = owner.post(TEST_CONNECTION, username="x@acme.example")

    assert response.json()["isValid"] is False
    assert response.json()["code"] == "USERNAME_MISMATCH"
    assert owner.post(ACCESS_TOKEN, username="x@acme.example").json()["code"] == "ORG_UNVERIFIED"


@pytest.mark.database
def test_an_unverified_org_is_verified_by_registering_it(owner, unverified, salesforce):
    url = salesforce.grants[-1].newest

    response = owner.post(REGISTER, {"sfdxAuthUrl": f"force://PlatformCLI::{url}@ci.my.salesforce.com"})

    assert response.status_code == 201
    assert response.json()["orgId"]
    assert response.json()["health"]["state"] == "healthy"


def test_an_unverified_org_cannot_be_the_default(owner, unverified):
    response = owner.patch(ORG, {"isDevHub": True, "isDefault": True}, username="ci@acme.example")

    assert response.status_code == 400
    assert response.json()["code"] == "UNVERIFIED_DEFAULT"


@pytest.mark.database
def test_a_refused_unverified_registration_stores_nothing(owner, salesforce, settings):
    settings.ALLOW_SKIP_VALIDATION = True
    body = {"sfdxAuthUrl": an_org(salesforce).auth_url(), "username": "x@acme.example", "skipValidation": True}

    response = owner.post(REGISTER, {**body, "isDevHub": True, "isDefault": True})

    assert response.json()["code"] == "UNVERIFIED_DEFAULT"
    assert SalesforceOrg.objects.count() == Credential.objects.count() == KnownToken.objects.count() == 0

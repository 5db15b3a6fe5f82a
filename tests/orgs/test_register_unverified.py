"""POST .../register with skipValidation: an org that nobody has asked Salesforce about."""

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
    answer = owner.post(REGISTER, body)
    assert answer.status_code == 201, answer
    return answer.json()


@pytest.mark.database
def test_an_org_that_nobody_verified_is_stored_with_empty_facts(unverified, salesforce):
    assert unverified["orgId"] == unverified["organizationType"] == unverified["instanceName"] == ""
    assert unverified["health"]["state"] == "unverified"
    assert salesforce.calls == []


@pytest.mark.parametrize("query", [{}, {"authType": "accessToken"}, {"authType": "sfdxAuthUrl"}])
def test_an_org_that_nobody_verified_hands_out_nothing(owner, salesforce, unverified, query):
    answer = owner.get(ORG, username="ci@acme.example", **query)

    assert not {"accessToken", "sfdxAuthUrl"} & set(answer.json())
    assert answer.json().get("authError", answer.json())["code"] == "ORG_UNVERIFIED"
    assert salesforce.calls == []


@pytest.mark.database
def test_a_test_of_the_connection_verifies_an_org(owner, unverified, salesforce):
    answer = owner.post(TEST_CONNECTION, username="ci@acme.example")

    assert answer.json()["isValid"] is True
    assert answer.json()["organizationType"] == "Enterprise Edition"
    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200


def test_an_org_of_another_user_than_was_said_is_not_verified(owner, salesforce, settings):
    settings.ALLOW_SKIP_VALIDATION = True
    body = {"sfdxAuthUrl": an_org(salesforce).auth_url(), "username": "x@acme.example", "skipValidation": True}
    owner.post(REGISTER, body)

    answer = owner.post(TEST_CONNECTION, username="x@acme.example")

    assert answer.json()["isValid"] is False
    assert answer.json()["code"] == "USERNAME_MISMATCH"
    assert owner.post(ACCESS_TOKEN, username="x@acme.example").json()["code"] == "ORG_UNVERIFIED"


@pytest.mark.database
def test_an_unverified_org_is_verified_by_registering_it(owner, unverified, salesforce):
    url = salesforce.grants[-1].newest

    answer = owner.post(REGISTER, {"sfdxAuthUrl": f"force://PlatformCLI::{url}@ci.my.salesforce.com"})

    assert answer.status_code == 201
    assert answer.json()["orgId"]
    assert answer.json()["health"]["state"] == "healthy"


def test_an_unverified_org_cannot_be_the_default(owner, unverified):
    answer = owner.patch(ORG, {"isDevHub": True, "isDefault": True}, username="ci@acme.example")

    assert answer.status_code == 400
    assert answer.json()["code"] == "UNVERIFIED_DEFAULT"


@pytest.mark.database
def test_an_unverified_registration_that_is_refused_leaves_nothing(owner, salesforce, settings):
    settings.ALLOW_SKIP_VALIDATION = True
    body = {"sfdxAuthUrl": an_org(salesforce).auth_url(), "username": "x@acme.example", "skipValidation": True}

    answer = owner.post(REGISTER, {**body, "isDevHub": True, "isDefault": True})

    assert answer.json()["code"] == "UNVERIFIED_DEFAULT"
    assert SalesforceOrg.objects.count() == Credential.objects.count() == KnownToken.objects.count() == 0

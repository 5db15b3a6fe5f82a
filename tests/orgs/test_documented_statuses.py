"""Documented statuses of the Orgs endpoints that the tests of the endpoints do not cover."""

import json

import pytest
from drf_spectacular.generators import SchemaGenerator

from orgs.credentials.models import Credential
from tests.orgs.factories import ORG, REGISTER, TEST_CONNECTION, a_registered_org, an_org

pytestmark = pytest.mark.django_db
DEFAULT = "/sfp/api/auth/salesforce/default-devhub"


@pytest.fixture
def namesakes(owner, salesforce):
    """Register two sandboxes with the same name, of two production orgs."""
    for company in ("acme", "globex"):
        production = an_org(salesforce, f"ci@{company}.example", host=f"{company}.my.salesforce.com")
        sandbox = salesforce.add_sandbox(production, "qa")
        assert owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()}).status_code == 201


@pytest.mark.parametrize("verb", ["patch", "delete", "test"])
def test_a_sandbox_name_of_two_orgs_is_a_conflict(verb, owner, namesakes):
    if verb == "patch":
        response = owner.patch(ORG, {"metadata": {}}, username="qa")
    else:
        response = owner.delete(ORG, username="qa") if verb == "delete" else owner.post(TEST_CONNECTION, username="qa")

    assert response.refusal == (409, "AMBIGUOUS_SANDBOX")


def test_a_tampered_credential_is_reported_at_registration(owner, salesforce):
    org = an_org(salesforce, "ci@acme.example")
    url = org.auth_url()
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    Credential.objects.update(sealed_grant="nonsense")

    response = owner.post(REGISTER, {"sfdxAuthUrl": url})

    assert response.refusal == (409, "CREDENTIAL_TAMPERED")


def test_an_org_deleted_at_salesforce_cannot_be_registered_and_can_be_deleted(owner, salesforce):
    url = (gone := an_org(salesforce, "gone@acme.example")).auth_url()
    gone.delete()
    known = a_registered_org(owner, salesforce, "known@acme.example")
    known.delete()

    refused = owner.post(REGISTER, {"sfdxAuthUrl": url})
    deleted = owner.delete(ORG, username="known@acme.example", revoke="true")

    assert refused.refusal == (400, "ORG_GONE")
    assert deleted.status_code == 200, deleted


def test_invalid_or_missing_parameters_are_refused(owner):
    assert owner.get(DEFAULT, authType="zzz").refusal == (400, "VALIDATION_FAILED")
    assert owner.post(TEST_CONNECTION).refusal == (400, "VALIDATION_FAILED")


def test_the_document_lists_410_only_where_it_can_occur():
    document = json.loads(json.dumps(SchemaGenerator().get_schema(public=True)))
    sf = "/sfp/api/auth/salesforce"
    named = {
        (path, method): set(operation["responses"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }

    assert "410" not in named[f"{sf}/register", "post"] | named[f"{sf}/org", "delete"]
    assert "410" in named[f"{sf}/org", "get"]

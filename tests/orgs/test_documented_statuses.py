"""Statuses that the document names for registered orgs, and that no test of the route reaches by itself."""

import json

import pytest
from drf_spectacular.generators import SchemaGenerator

from orgs.credentials.models import Credential
from tests.orgs.factories import ORG, REGISTER, TEST_CONNECTION, a_registered_org, an_org

pytestmark = pytest.mark.django_db
DEFAULT = "/sfp/api/auth/salesforce/default-devhub"


@pytest.fixture
def namesakes(owner, salesforce):
    """Two registered sandboxes of one name, under two production orgs."""
    for company in ("acme", "globex"):
        production = an_org(salesforce, f"ci@{company}.example", host=f"{company}.my.salesforce.com")
        sandbox = salesforce.add_sandbox(production, "qa")
        assert owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()}).status_code == 201


@pytest.mark.parametrize("verb", ["patch", "delete", "test"])
def test_a_name_of_two_orgs_is_a_conflict(verb, owner, namesakes):
    if verb == "patch":
        answer = owner.patch(ORG, {"metadata": {}}, username="qa")
    else:
        answer = owner.delete(ORG, username="qa") if verb == "delete" else owner.post(TEST_CONNECTION, username="qa")

    assert (answer.status_code, answer.json()["code"]) == (409, "AMBIGUOUS_SANDBOX")


def test_a_stored_key_that_was_tampered_with_cannot_be_registered_over_unseen(owner, salesforce):
    org = an_org(salesforce, "ci@acme.example")
    url = org.auth_url()
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    Credential.objects.update(sealed_grant="nonsense")

    answer = owner.post(REGISTER, {"sfdxAuthUrl": url})

    assert (answer.status_code, answer.json()["code"]) == (409, "CREDENTIAL_TAMPERED")


def test_an_org_that_is_gone_is_refused_at_registration_and_can_be_deleted(owner, salesforce):
    url = (gone := an_org(salesforce, "gone@acme.example")).auth_url()
    gone.delete()
    known = a_registered_org(owner, salesforce, "known@acme.example")
    known.delete()

    refused = owner.post(REGISTER, {"sfdxAuthUrl": url})
    deleted = owner.delete(ORG, username="known@acme.example", revoke="true")

    assert (refused.status_code, refused.json()["code"]) == (400, "ORG_GONE")
    assert deleted.status_code == 200, deleted


def test_parameters_that_are_wrong_or_missing(owner):
    assert owner.get(DEFAULT, authType="zzz").refusal == (400, "VALIDATION_FAILED")
    assert owner.post(TEST_CONNECTION).refusal == (400, "VALIDATION_FAILED")


def test_the_document_names_no_gone_where_there_is_none():
    document = json.loads(json.dumps(SchemaGenerator().get_schema(public=True)))
    sf = "/sfp/api/auth/salesforce"
    named = {
        (path, method): set(operation["responses"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }

    assert "410" not in named[f"{sf}/register", "post"] | named[f"{sf}/org", "delete"]
    assert "410" in named[f"{sf}/org", "get"]

"""DELETE /sfp/api/auth/salesforce/org."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from authn.models import AuditEvent
from orgs.credentials import refresh_lock
from orgs.credentials.models import Credential, KnownToken
from orgs.models import OrgMetadata, SalesforceOrg
from orgs.salesforce.emulator import Fault
from tests.orgs.factories import ACCESS_TOKEN, ORG, a_registered_org, register
from tests.support.refusing_table import refusing

pytestmark = pytest.mark.django_db


@pytest.fixture
def ci(owner, salesforce):
    return a_registered_org(owner, salesforce, "ci@acme.example", metadata={"team": "core"})


@pytest.fixture
def child(owner, salesforce, ci):
    sandbox = salesforce.add_sandbox(ci, "dev1")
    register(owner, sandbox)
    parent = SalesforceOrg.objects.get(username="ci@acme.example")
    SalesforceOrg.objects.filter(username=sandbox.username).update(parent=parent, is_jit_registration=True)
    return sandbox


def _rows() -> int:
    return sum(model._default_manager.count() for model in (SalesforceOrg, Credential, KnownToken, OrgMetadata))


@pytest.mark.database
def test_deletion_leaves_no_row_of_the_org(owner, salesforce, ci):
    salesforce.reset_calls()

    response = owner.delete(ORG, username="CI@acme.example")

    assert response.status_code == 200
    assert response.content == b""
    assert _rows() == 0
    assert salesforce.calls == []
    assert any(grant.alive for grant in salesforce.grants), "the token still works elsewhere"


@pytest.mark.database
def test_an_unknown_org_is_not_found(owner):
    assert owner.delete(ORG, username="x@acme.example").refusal == (404, "ORG_NOT_FOUND")


@pytest.mark.database
def test_an_org_deleted_meanwhile_is_not_found(owner, ci):
    owner.delete(ORG, username="ci@acme.example")

    assert owner.get(ORG, username="ci@acme.example").refusal == (404, "ORG_NOT_FOUND")
    assert owner.delete(ORG, username="ci@acme.example").refusal == (404, "ORG_NOT_FOUND")


@pytest.mark.database
def test_a_parent_with_children_is_not_deleted(owner, child):
    response = owner.delete(ORG, username="ci@acme.example")

    assert response.status_code == 409
    assert response.json()["code"] == "HAS_CHILDREN"
    assert child.username in response.json()["message"]
    assert SalesforceOrg.objects.count() == 2


@pytest.mark.database
def test_cascade_deletes_the_children_too(owner, child):
    response = owner.delete(ORG, username="ci@acme.example", cascade="true")

    assert response.status_code == 200
    assert _rows() == 0


@pytest.mark.database
def test_revoke_revokes_the_token_at_salesforce_first(owner, salesforce, ci):
    response = owner.delete(ORG, username="ci@acme.example", revoke="true")

    assert response.status_code == 200
    assert not any(grant.alive for grant in salesforce.grants)
    assert AuditEvent.objects.filter(action="credential.revoked", outcome="granted").count() == 1


@pytest.mark.database
def test_an_invalid_token_counts_as_revoked(owner, salesforce, ci):
    ci.revoke_all()

    response = owner.delete(ORG, username="ci@acme.example", revoke="true")

    assert response.status_code == 200
    assert _rows() == 0


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.no_name(), 503),
        (Fault.html_maintenance(), 503),
        (Fault.status(500), 503),
        (Fault.hang(60, processed=False), 504),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_nothing_is_deleted_while_salesforce_is_unavailable(owner, salesforce, ci, fault, status):
    salesforce.inject(fault, path="/services/oauth2/revoke")
    rows = _rows()

    response = owner.delete(ORG, username="ci@acme.example", revoke="true")

    assert response.status_code == status, response
    assert _rows() == rows
    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200, "the lock was released"


@pytest.mark.database
@pytest.mark.parametrize("query", [{}, {"revoke": "true"}], ids=["delete", "revoke and delete"])
def test_the_refresh_lock_is_released_after_any_failed_deletion(owner, ci, query):
    with refusing(SalesforceOrg, "DELETE"):
        response = owner.delete(ORG, username="ci@acme.example", **query)

    assert response.refusal == (500, "INTERNAL_ERROR")
    assert SalesforceOrg.objects.count() == 1
    assert Credential.objects.get().locked_until is None


@pytest.mark.database
def test_cascade_and_revoke_revoke_every_token(owner, salesforce, child):
    owner.delete(ORG, username="ci@acme.example", cascade="true", revoke="true")

    assert not any(grant.alive for grant in salesforce.grants)
    assert _rows() == 0


def test_a_revoked_token_does_not_keep_the_detail_of_an_older_failure(owner, salesforce, ci):
    salesforce.inject(Fault.oauth("a_new_error", "a new text"))
    assert "a_new_error" in owner.post(ACCESS_TOKEN, username="ci@acme.example").json()["message"]

    with refusing(SalesforceOrg, "DELETE"):
        owner.delete(ORG, username="ci@acme.example", revoke="true")

    refused = owner.post(ACCESS_TOKEN, username="ci@acme.example")
    assert refused.refusal == (409, "CREDENTIAL_EXPIRED")
    assert "a_new_error" not in refused.json()["message"]


@pytest.mark.database
def test_a_token_is_not_revoked_while_another_process_has_its_refresh_lock(owner, salesforce, ci, child, settings):
    settings.SALESFORCE_TIMEOUT_SECONDS = 0.5
    parent = Credential.objects.get(org__username="ci@acme.example")

    def refresh_the_parent(_: object) -> None:
        salesforce.on_change = None
        Credential.objects.filter(pk=parent.pk).update(locked_until=Now() - timedelta(seconds=1))
        assert refresh_lock.acquire_for_refresh(parent.pk, parent.generation)

    salesforce.on_change = refresh_the_parent  # While the child's token is revoked.

    response = owner.delete(ORG, username="ci@acme.example", cascade="true", revoke="true")

    assert response.refusal == (503, "REFRESH_IN_PROGRESS")
    assert any(grant.alive for grant in salesforce.grants)
    assert not refresh_lock.acquire_for_refresh(parent.pk, parent.generation), "the refresh lock stays with its holder"

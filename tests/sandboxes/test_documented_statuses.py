"""Documented statuses of on-demand and pool endpoints that the tests of the endpoints do not cover."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from orgs.credentials.models import Credential
from orgs.salesforce.emulator import Fault, error_texts
from sandboxes.models import PoolInstance
from tests.orgs.factories import REGISTER, an_org
from tests.sandboxes.factories import (
    BY_NAME,
    FETCH,
    POOLS,
    PROD,
    REPOSITORY,
    SANDBOX,
    SCRATCH,
    UNASSIGN,
    a_scratch_org,
    an_instance,
)

pytestmark = pytest.mark.django_db
TOKEN = "/services/oauth2/token"
DEV1 = {"sandboxName": "dev1", "productionUsername": PROD}
S1 = {"scratchOrgUsername": "s1@acme.example", "devhubUsername": PROD}
PR1 = {"repository": REPOSITORY, "poolTag": "features", "assignmentId": "pr-1"}
NEW = {"repository": REPOSITORY, "poolTag": "features", "name": "dev1", "type": "SANDBOX"}
FAULTS = {
    429: Fault.oauth(*error_texts.LOGIN_RATE),
    502: Fault.fields(instance_url="https://evil.example"),
    503: Fault.html_maintenance(),
    504: Fault.hang(1),
}


@pytest.mark.parametrize("path", [BY_NAME, SANDBOX, SCRATCH, POOLS, FETCH])
def test_a_fault_at_the_token_endpoint_has_its_status(path, owner, salesforce, production, sandbox, each):
    a_scratch_org(salesforce, production)
    if path == FETCH:
        an_instance(owner)
    body = {BY_NAME: DEV1, SANDBOX: DEV1, SCRATCH: S1, FETCH: PR1, POOLS: NEW | {"sfdxAuthUrl": sandbox.auth_url()}}
    for status, fault in FAULTS.items():
        with each(str(status)):
            end = salesforce.inject(fault, path=TOKEN, times=None)

            response = owner.post(path, body[path])

            assert response.status_code == status, response
            end()
            Credential.objects.update(paused_until=None)
            assert owner.post(path, body[path]).status_code == (200 if path == FETCH else 201)


@pytest.mark.parametrize("path", [SANDBOX, FETCH])
def test_a_deleted_production_org_is_410(path, owner, production, sandbox):
    an_instance(owner)
    production.delete()

    response = owner.post(path, DEV1 if path == SANDBOX else PR1)

    assert response.status_code == (410 if path == SANDBOX else 409), response


def test_three_deleted_instances_in_turn_are_an_error(owner, salesforce, production):
    for number in (1, 2, 3):
        a_scratch_org(salesforce, production, f"s{number}@acme.example")
        an_instance(owner, f"f{number}", type="SCRATCH_ORG", username=f"s{number}@acme.example")
        production.scratch_records[-1].status = "Deleted"

    assert owner.post(FETCH, PR1).refusal == (410, "SCRATCH_ORG_EXPIRED")


def test_three_unknown_instances_in_turn_are_an_error(owner, salesforce, production):
    for number in (1, 2, 3):
        an_instance(owner, f"f{number}", type="SCRATCH_ORG", username=f"s{number}@acme.example")

    response = owner.post(FETCH, PR1)

    assert response.refusal == (404, "SCRATCH_ORG_NOT_FOUND")


@pytest.mark.parametrize("path", [BY_NAME, SANDBOX, POOLS])
def test_a_tampered_credential_is_an_error(path, owner, salesforce, production, sandbox):
    url = sandbox.auth_url()
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    Credential.objects.update(sealed_grant="nonsense")
    body = {POOLS: NEW | {"sfdxAuthUrl": url}}.get(path, {"sandboxName": "qa", "productionUsername": PROD})

    response = owner.post(path, body)

    assert response.refusal == (409, "CREDENTIAL_TAMPERED")


def test_an_unverified_production_org_is_an_error(owner, salesforce, settings):
    settings.ALLOW_SKIP_VALIDATION = True
    url = an_org(salesforce, PROD).auth_url()
    owner.post(REGISTER, {"sfdxAuthUrl": url, "username": PROD, "skipValidation": True})

    response = owner.post(BY_NAME, DEV1)

    assert response.refusal == (409, "ORG_UNVERIFIED")


@pytest.mark.parametrize(
    ("verb", "path", "content"),
    [
        ("post", FETCH, PR1 | {"expirationHours": 0}),
        ("post", UNASSIGN, {"repository": REPOSITORY}),
        ("delete", POOLS, {"repository": "no repository", "name": "dev1"}),
    ],
)
def test_invalid_pool_parameters_are_refused(verb, path, content, owner):
    response = owner.post(path, content) if verb == "post" else owner.delete(path, **content)

    assert response.refusal == (400, "VALIDATION_FAILED")


def test_an_instance_is_not_removed_during_a_refresh(owner, sandbox, settings):
    settings.SALESFORCE_TIMEOUT_SECONDS = 0.2
    an_instance(owner, sfdxAuthUrl=sandbox.auth_url())
    credentials = Credential.objects.filter(pool_instance__isnull=False)
    credentials.update(locked_until=timezone.now() + timedelta(minutes=1))

    response = owner.delete(POOLS, repository=REPOSITORY, name="dev1")

    assert response.refusal == (503, "REFRESH_IN_PROGRESS")
    assert PoolInstance.objects.exists()


def test_the_document_lists_no_410_for_registration():
    paths = json.loads(json.dumps(SchemaGenerator().get_schema(public=True)))["paths"]

    assert "410" not in paths[BY_NAME]["post"]["responses"]
    assert "410" not in paths[POOLS]["post"]["responses"]

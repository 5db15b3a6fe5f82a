"""Each status that the document names for a route on demand, and that no test of the route reaches by itself."""

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
def test_a_fault_at_the_token_endpoint(path, owner, salesforce, production, sandbox, each):
    a_scratch_org(salesforce, production)
    if path == FETCH:
        an_instance(owner)
    body = {BY_NAME: DEV1, SANDBOX: DEV1, SCRATCH: S1, FETCH: PR1, POOLS: NEW | {"sfdxAuthUrl": sandbox.auth_url()}}
    for status, fault in FAULTS.items():
        with each(str(status)):
            end = salesforce.inject(fault, path=TOKEN, times=None)

            answer = owner.post(path, body[path])

            assert answer.status_code == status, answer
            end()
            Credential.objects.update(paused_until=None)
            assert owner.post(path, body[path]).status_code == (200 if path == FETCH else 201)


@pytest.mark.parametrize("path", [SANDBOX, FETCH])
def test_a_production_org_that_is_no_more(path, owner, production, sandbox):
    an_instance(owner)
    production.delete()

    answer = owner.post(path, DEV1 if path == SANDBOX else PR1)

    assert answer.status_code == (410 if path == SANDBOX else 409), answer


def test_three_instances_that_are_gone_in_turn(owner, salesforce, production):
    for number in (1, 2, 3):
        a_scratch_org(salesforce, production, f"s{number}@acme.example")
        an_instance(owner, f"f{number}", type="SCRATCH_ORG", username=f"s{number}@acme.example")
        production.scratch_records[-1].status = "Deleted"

    assert owner.post(FETCH, PR1).refusal == (410, "SCRATCH_ORG_EXPIRED")


def test_three_instances_that_nobody_knows(owner, salesforce, production):
    for number in (1, 2, 3):
        an_instance(owner, f"f{number}", type="SCRATCH_ORG", username=f"s{number}@acme.example")

    answer = owner.post(FETCH, PR1)

    assert (answer.status_code, answer.json()["code"]) == (404, "SCRATCH_ORG_NOT_FOUND")


@pytest.mark.parametrize("path", [BY_NAME, SANDBOX, POOLS])
def test_a_stored_key_that_was_tampered_with(path, owner, salesforce, production, sandbox):
    url = sandbox.auth_url()
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    Credential.objects.update(sealed_grant="nonsense")
    body = {POOLS: NEW | {"sfdxAuthUrl": url}}.get(path, {"sandboxName": "qa", "productionUsername": PROD})

    answer = owner.post(path, body)

    assert (answer.status_code, answer.json()["code"]) == (409, "CREDENTIAL_TAMPERED")


def test_an_unverified_production_org(owner, salesforce, settings):
    settings.ALLOW_SKIP_VALIDATION = True
    url = an_org(salesforce, PROD).auth_url()
    owner.post(REGISTER, {"sfdxAuthUrl": url, "username": PROD, "skipValidation": True})

    answer = owner.post(BY_NAME, DEV1)

    assert (answer.status_code, answer.json()["code"]) == (409, "ORG_UNVERIFIED")


@pytest.mark.parametrize(
    ("verb", "path", "content"),
    [
        ("post", FETCH, PR1 | {"expirationHours": 0}),
        ("post", UNASSIGN, {"repository": REPOSITORY}),
        ("delete", POOLS, {"repository": "no repository", "name": "dev1"}),
    ],
)
def test_bad_words_about_a_pool(verb, path, content, owner):
    answer = owner.post(path, content) if verb == "post" else owner.delete(path, **content)

    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_FAILED")


def test_an_instance_is_not_removed_while_its_key_is_refreshed(owner, sandbox, settings):
    settings.SALESFORCE_TIMEOUT_SECONDS = 0.2
    an_instance(owner, sfdxAuthUrl=sandbox.auth_url())
    held = Credential.objects.filter(pool_instance__isnull=False)
    held.update(locked_until=timezone.now() + timedelta(minutes=1))

    answer = owner.delete(POOLS, repository=REPOSITORY, name="dev1")

    assert (answer.status_code, answer.json()["code"]) == (503, "REFRESH_IN_PROGRESS")
    assert PoolInstance.objects.exists()


def test_nothing_is_gone_where_one_registers():
    paths = json.loads(json.dumps(SchemaGenerator().get_schema(public=True)))["paths"]

    assert "410" not in paths[BY_NAME]["post"]["responses"]
    assert "410" not in paths[POOLS]["post"]["responses"]

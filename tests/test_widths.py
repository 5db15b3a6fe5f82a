"""The widest text that Salesforce or a caller can send fits the column that it is stored in, on both databases."""

import json
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models

from authn.models import ApplicationToken, AuditEvent, User
from authn.roles import Role
from orgs.models import OrgMetadata, SalesforceOrg
from sandboxes.models import OnDemandGrant, PoolInstance
from tests.orgs.factories import ACCESS_TOKEN, ORGS, REGISTER, TEST_CONNECTION, an_org, register
from tests.sandboxes.factories import BY_NAME, FETCH, POOLS, SANDBOX, SCRATCH, a_production_org, an_instance
from tests.support.api_client import Caller

pytestmark = [pytest.mark.database, pytest.mark.django_db]
TOKENS = "/sfp/api/application-tokens"
LOGIN = "/sfp/api/auth/admin/login"
DOMAIN = "x" * 57 + ".org"
USERNAME = "u" * 60 + "@" + "d" * 11 + ".example"
REPOSITORY = "r" * 127 + "/" + "s" * 127
TAG = "t" * 100
WORD = "東" * 255
# What each column of texts is filled by; "ours" is what the desk itself makes, of a known length.
FILLED = {
    "User": {"email": "a caller", "password": "ours"},
    "LoginFamily": {"current_jti": "ours"},
    "ServiceStackLogin": {"password_mark": "ours", "session_digest": "ours"},
    "ApplicationToken": {"name": "a caller", "digest": "ours", "prefix": "ours", "created_by_name": "a caller"},
    "AuditEvent": {
        **dict.fromkeys(("code", "actor_kind", "actor_id", "target_id", "fingerprint"), "ours"),
        **dict.fromkeys(("actor_name", "address", "request_id", "target_label"), "a caller"),
    },
    # A block of addresses is written by us from the address that was parsed.
    "LoginAttempts": {"name_digest": "ours", "address_block": "ours"},
    "AddressTries": {"address_block": "ours"},
    "TokenRefusals": dict.fromkeys(("holder_kind", "holder_id", "action", "code"), "ours"),
    "BrowserSession": {"digest": "ours"},
    "SweepRun": {"name": "ours", "failure": "ours"},
    "Credential": {"outcome": "ours", "outcome_detail": "ours", "reason": "ours"},
    "KnownToken": {"digest": "ours"},
    "DeskKey": {"name": "ours"},
    "SalesforceOrg": {
        "username": "a caller",
        **dict.fromkeys(("instance_url", "org_id", "organization_type", "instance_name", "sandbox_name"), "Salesforce"),
    },
    "OrgMetadata": {"key": "a caller", "value": "a caller"},
    "OnDemandGrant": dict.fromkeys(("name", "username", "org_id", "instance_url"), "Salesforce"),
    "PoolInstance": {
        **dict.fromkeys(("repository", "pool_tag", "assignment_id", "assigned_to_email"), "a caller"),
        **dict.fromkeys(("name", "username", "instance_url", "org_id"), "Salesforce"),
    },
}


def host(label: str) -> str:
    """Return the longest host name that there can be, below DOMAIN."""
    rest = 253 - len(DOMAIN) - 1
    first = label + "h" * (63 - len(label))
    return f"{first}.{'i' * 63}.{'j' * (rest - 2 - 63 - 63)}.{DOMAIN}"


@pytest.fixture(autouse=True)
def _domain(settings: Any) -> None:
    settings.SALESFORCE_EXTRA_DOMAINS = [DOMAIN]


def fills(row: Any, *columns: str) -> bool:
    """Return True if the columns are as long as they may be."""
    return all(len(getattr(row, name)) == row._meta.get_field(name).max_length for name in columns)


def test_every_column_of_texts_is_listed_with_what_fills_it():
    shown = {
        model.__name__: {
            column.name
            for column in model._meta.get_fields()
            if isinstance(column, models.CharField) and not column.choices
        }
        for label in ("authn", "orgs", "sandboxes")
        for model in apps.get_app_config(label).get_models()
    }

    assert shown == {name: set(columns) for name, columns in FILLED.items()}


# --- Salesforce --------------------------------------------------------------------------------------


def test_an_org_with_the_widest_values_is_registered_tested_and_found(owner, salesforce):
    org = an_org(salesforce, USERNAME, host("prod"), organization_type=WORD, instance_name=WORD)

    register(owner, org)

    assert fills(SalesforceOrg.objects.get(), "instance_url", "org_id", "organization_type", "instance_name")
    assert owner.get(ORGS, type=WORD).json()[0]["username"] == USERNAME
    assert owner.post(TEST_CONNECTION, username=USERNAME).json()["isValid"] is True
    assert owner.post(ACCESS_TOKEN, username=USERNAME).status_code == 200
    assert AuditEvent.objects.filter(target_label=USERNAME).exists()


def test_a_connection_test_stores_longer_values(owner, salesforce):
    org = an_org(salesforce)
    register(owner, org)
    org.instance_name = org.organization_type = WORD

    response = owner.post(TEST_CONNECTION, username=org.username)

    assert response.json()["isValid"] is True, response
    assert fills(SalesforceOrg.objects.get(), "organization_type", "instance_name")


@pytest.mark.parametrize("fact", ["organization_type", "instance_name"])
def test_a_value_longer_than_its_column_is_unreadable(owner, salesforce, fact):
    org = an_org(salesforce, **{fact: WORD + "x"})

    response = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    assert (response.status_code, response.json()["code"]) == (502, "UPSTREAM_UNREADABLE")
    assert SalesforceOrg.objects.count() == 0


def test_a_sandbox_with_the_widest_values_is_opened_and_registered(owner, salesforce):
    production = a_production_org(owner, salesforce)
    sandbox = salesforce.add_sandbox(production, "d" * 40, username=USERNAME, host=host("acme--" + "d" * 40))
    sandbox.instance_name = sandbox.organization_type = WORD
    named = {"sandboxName": "d" * 40, "productionUsername": production.username}

    opened = owner.post(SANDBOX, named)
    grant = OnDemandGrant.objects.get()
    registered = owner.post(BY_NAME, named)

    assert (opened.status_code, registered.status_code) == (201, 201), (opened, registered)
    assert fills(grant, "instance_url", "org_id")
    assert fills(SalesforceOrg.objects.get(username=USERNAME), "instance_url", "organization_type", "instance_name")


def test_a_scratch_org_with_the_widest_values_is_opened_and_imported(owner, salesforce):
    hub = a_production_org(owner, salesforce)
    salesforce.add_scratch_org(hub, username=USERNAME, host=host("scratch"), Pooltag__c=TAG)

    call_command("import_pool", dev_hub=hub.username, tag=TAG, repository=REPOSITORY, verbosity=0)
    opened = owner.post(SCRATCH, {"scratchOrgUsername": USERNAME, "devhubUsername": hub.username})
    fetched = owner.post(FETCH, {"repository": REPOSITORY, "poolTag": TAG, "assignmentId": "pr-1"})

    assert (opened.status_code, fetched.status_code) == (201, 200), (opened, fetched)
    assert fills(OnDemandGrant.objects.get(), "instance_url", "org_id")
    assert fills(PoolInstance.objects.get(), "repository", "pool_tag", "instance_url", "org_id")


def test_a_scratch_org_whose_username_is_longer_than_any_is_unreadable(owner, salesforce):
    hub = a_production_org(owner, salesforce)
    salesforce.add_scratch_org(hub, username="u" + USERNAME, host=host("scratch"), Pooltag__c=TAG)
    hub.scratch_records[0].username = WORD

    with pytest.raises(Exception, match="could not be read"):
        call_command("import_pool", dev_hub=hub.username, tag=TAG, repository=REPOSITORY, verbosity=0)

    assert PoolInstance.objects.count() == 0


def test_a_pool_instance_with_the_widest_credential_is_added(owner, salesforce):
    production = a_production_org(owner, salesforce)
    sandbox = salesforce.add_sandbox(production, "d" * 40, username=USERNAME, host=host("acme--d"))

    an_instance(owner, "d" * 40, sfdxAuthUrl=sandbox.auth_url())

    assert fills(PoolInstance.objects.get(), "instance_url", "org_id")


# --- Callers -----------------------------------------------------------------------------------------


def test_the_widest_registration_without_validation_is_stored(owner, settings, salesforce):
    settings.ALLOW_SKIP_VALIDATION = True
    metadata = {"鍵" * 100: "値" * 500, "k": "😀" * 400}
    wish = {"username": WORD, "skipValidation": True, "metadata": metadata}

    response = owner.post(REGISTER, {"sfdxAuthUrl": f"force://PlatformCLI::5Aep861abc@{host('prod')}", **wish})

    assert response.status_code == 201, response
    assert fills(SalesforceOrg.objects.get(), "username", "instance_url")
    assert fills(AuditEvent.objects.get(action="org.registered"), "target_label")
    assert {row.key for row in OrgMetadata.objects.all()} == set(metadata)
    found = owner.get(ORGS, metadata=json.dumps({"k": metadata["k"]}))
    assert found.status_code == 200, found
    assert found.json()[0]["username"] == WORD


def test_a_host_that_is_longer_than_any_is_refused(owner, settings):
    settings.ALLOW_SKIP_VALIDATION = True

    response = owner.post(REGISTER, {"sfdxAuthUrl": f"force://PlatformCLI::5Aep861abc@a.{host('prod')}"})

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_SFDX_AUTH_URL")


def test_the_widest_pool_instance_is_added_and_fetched(owner, salesforce):
    production = a_production_org(owner, salesforce)
    name, email = "n" * 255, f"{'e' * 64}@{'d' * 63}.{'d' * 63}.{'d' * 53}.example"
    scratch = salesforce.add_scratch_org(production, username=USERNAME, host=host("scratch"))
    pool = {"repository": REPOSITORY, "poolTag": TAG}

    added = owner.post(
        POOLS,
        pool
        | {"name": name, "type": "SCRATCH_ORG", "username": scratch.username, "parentUsername": production.username},
    )
    fetched = owner.post(FETCH, pool | {"assignmentId": WORD, "assignedToUserEmail": email})

    assert (added.status_code, fetched.status_code) == (201, 200), (added, fetched)
    row = PoolInstance.objects.get()
    assert fills(row, "repository", "pool_tag", "name", "assignment_id", "assigned_to_email", "instance_url")


def test_the_widest_user_and_token_are_stored_and_audited(a_person, settings):
    settings.TRUSTED_PROXY_COUNT = 1
    email = f"{'e' * 64}@{'d' * 63}.{'d' * 63}.{'d' * 53}.example"
    person = a_person(email, Role.OWNER)
    headers = {"X-Request-Id": "r" * 64, "X-Forwarded-For": "fe80::1%" + "z" * 4000, "User-Agent": "u" * 4000}
    caller, login = Caller(), {"email": email, "password": "wrong"}

    refused = caller.send("POST", LOGIN, login, headers=headers)
    entered = caller.send("POST", LOGIN, login | {"password": "correct-horse-battery-staple"}, headers=headers)
    caller.bearer = entered.json()["access_token"]
    made = caller.send("POST", TOKENS, {"name": "名" * 100}, headers=headers)

    assert (refused.status_code, made.status_code) == (401, 201), (refused, made)
    assert fills(person, "email")
    assert fills(ApplicationToken.objects.get(), "name", "created_by_name")
    row = AuditEvent.objects.filter(action="application_token.created").get()
    assert fills(row, "actor_name", "request_id")
    assert row.address == "fe80::1"
    assert User.objects.count() == 1

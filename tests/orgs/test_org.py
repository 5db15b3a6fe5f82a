"""GET /sfp/api/auth/salesforce/org and .../default-devhub: an org with the requested credential."""

import pytest

from authn.audit import fingerprint
from authn.models import AuditEvent
from orgs.salesforce.emulator import Fault
from tests.orgs.factories import DEFAULT_DEVHUB, ORG, a_registered_org, an_org, register


@pytest.fixture
def hub(owner, salesforce):
    return a_registered_org(owner, salesforce, "hub@acme.example", isDevHub=True, isDefault=True)


BOTH = [(ORG, {"username": "hub@acme.example"}), (DEFAULT_DEVHUB, {})]
both = pytest.mark.parametrize(("path", "query"), BOTH, ids=["org", "default-devhub"])


@both
def test_a_member_sees_the_org_without_credentials(member, salesforce, hub, path, query):
    salesforce.reset_calls()

    response = member.get(path, **query)

    assert response.status_code == 200
    assert response.json()["username"] == "hub@acme.example"
    assert response.json()["isDefault"] is True
    assert not {"accessToken", "sfdxAuthUrl", "authError"} & set(response.json())
    assert salesforce.calls == []


@both
def test_an_application_gets_an_access_token_by_default(application, salesforce, hub, path, query):
    response = application.get(path, **query)

    token = response.json()["accessToken"]
    assert token in salesforce.sessions
    assert "sfdxAuthUrl" not in response.json()
    event = AuditEvent.objects.filter(action="access_token.handed_out").first()
    assert event is not None
    assert (event.outcome, event.actor_kind, event.target_label) == ("granted", "application", "hub@acme.example")
    assert event.fingerprint == fingerprint(token)


@both
def test_an_owner_gets_the_auth_url_if_requested(owner, salesforce, hub, path, query):
    response = owner.get(path, authType="sfdxAuthUrl", **query)

    assert salesforce.is_alive(response.json()["sfdxAuthUrl"])
    assert response.json()["sfdxAuthUrl"].endswith("@hub.my.salesforce.com")
    assert "accessToken" not in response.json()
    assert AuditEvent.objects.filter(action="auth_url.handed_out", outcome="granted").count() == 1


@both
def test_the_auth_url_of_a_rotating_token_is_not_released(owner, salesforce, path, query):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    register(owner, an_org(salesforce, "hub@acme.example", is_dev_hub=True), app, isDevHub=True, isDefault=True)

    response = owner.get(path, authType="sfdxAuthUrl", **query)

    assert response.status_code == 409
    assert response.json()["code"] == "CREDENTIAL_ROTATES"
    assert AuditEvent.objects.filter(action="auth_url.handed_out", outcome="failed").count() == 1


@both
def test_no_auth_url_is_released_if_the_release_is_disabled(owner, hub, settings, path, query):
    settings.ALLOW_AUTH_URL_RELEASE = False

    response = owner.get(path, authType="sfdxAuthUrl", **query)

    assert response.status_code == 403
    assert response.json()["code"] == "AUTH_URL_RELEASE_OFF"


@both
def test_an_org_is_returned_without_its_expired_credential(owner, salesforce, hub, path, query):
    hub.revoke_all()

    response = owner.get(path, **query)

    assert response.status_code == 200
    assert response.json()["authError"]["code"] == "CREDENTIAL_EXPIRED"
    assert "sf org login web" in response.json()["authError"]["action"]
    assert response.json()["health"]["state"] == "expired"
    assert response.json()["health"]["reason"] == "CREDENTIAL_EXPIRED"
    assert "accessToken" not in response.json()


@both
@pytest.mark.parametrize("auth_type", ["accessToken", "sfdxAuthUrl"])
def test_an_expired_credential_is_an_error_if_it_was_requested(owner, salesforce, hub, path, query, auth_type):
    hub.revoke_all()
    owner.get(path, **query)
    salesforce.reset_calls()

    response = owner.get(path, authType=auth_type, **query)

    assert response.status_code == 409
    assert response.json()["code"] == "CREDENTIAL_EXPIRED"
    assert salesforce.calls == [], "the recorded permanent failure is returned without a call"


@both
def test_an_org_is_returned_while_salesforce_is_unavailable(owner, salesforce, hub, path, query):
    salesforce.inject(Fault.html_maintenance())

    response = owner.get(path, **query)

    assert response.status_code == 200
    assert response.json()["authError"]["code"] == "UPSTREAM_MAINTENANCE"


@both
def test_a_head_request_does_not_refresh(owner, salesforce, hub, path, query):
    salesforce.reset_calls()

    response = owner.head(path, **query)

    assert response.status_code == 200
    assert salesforce.calls == []


@both
@pytest.mark.parametrize(
    "header", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}]
)
def test_a_prefetch_does_not_refresh(owner, salesforce, hub, path, query, header):
    salesforce.reset_calls()

    response = owner.send("GET", path, query=query, headers=header)

    assert response.status_code == 204
    assert salesforce.calls == []


def test_an_unknown_org_is_not_found(owner):
    response = owner.get(ORG, username="unknown@acme.example")

    assert response.status_code == 404
    assert response.json()["code"] == "ORG_NOT_FOUND"


def test_a_missing_default_dev_hub_is_an_error(owner, salesforce):
    a_registered_org(owner, salesforce, isDevHub=True)

    response = owner.get(DEFAULT_DEVHUB)

    assert response.status_code == 404
    assert response.json()["code"] == "NO_DEFAULT_DEVHUB"


@pytest.mark.parametrize("spelling", ["HUB@ACME.example", " hub@acme.example "])
def test_usernames_match_regardless_of_case_and_spaces(member, hub, spelling):
    assert member.get(ORG, username=spelling).json()["username"] == "hub@acme.example"


def test_a_sandbox_name_of_two_orgs_is_ambiguous(owner, salesforce):
    for name in ("one", "two"):
        register(owner, salesforce.add_sandbox(an_org(salesforce, f"{name}@acme.example"), "dev1"))

    response = owner.get(ORG, username="dev1")

    assert response.status_code == 409
    assert response.json()["code"] == "AMBIGUOUS_SANDBOX"
    assert "one@acme.example.dev1, two@acme.example.dev1" in response.json()["message"]


def test_a_migrated_org_has_its_new_instance_url_after_the_next_refresh(owner, salesforce, hub):
    hub.move_to("hub-new.my.salesforce.com")

    first = owner.get(ORG, username="hub@acme.example", authType="accessToken")

    assert first.json()["instanceUrl"] == "https://hub-new.my.salesforce.com"

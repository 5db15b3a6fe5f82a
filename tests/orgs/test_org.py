"""GET /sfp/api/auth/salesforce/org and .../default-devhub: an org, and the credential asked for."""

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

    answer = member.get(path, **query)

    assert answer.status_code == 200
    assert answer.json()["username"] == "hub@acme.example"
    assert answer.json()["isDefault"] is True
    assert not {"accessToken", "sfdxAuthUrl", "authError"} & set(answer.json())
    assert salesforce.calls == []


@both
def test_an_application_gets_an_access_token_without_asking_for_one(application, salesforce, hub, path, query):
    answer = application.get(path, **query)

    token = answer.json()["accessToken"]
    assert token in salesforce.sessions
    assert "sfdxAuthUrl" not in answer.json()
    event = AuditEvent.objects.filter(action="access_token.handed_out").first()
    assert (event.outcome, event.actor_kind, event.org_username) == ("granted", "application", "hub@acme.example")
    assert event.fingerprint == fingerprint(token)


@both
def test_an_owner_gets_the_auth_url_by_name(owner, salesforce, hub, path, query):
    answer = owner.get(path, authType="sfdxAuthUrl", **query)

    assert salesforce.is_alive(answer.json()["sfdxAuthUrl"])
    assert answer.json()["sfdxAuthUrl"].endswith("@hub.my.salesforce.com")
    assert "accessToken" not in answer.json()
    assert AuditEvent.objects.filter(action="auth_url.handed_out", outcome="granted").count() == 1


@both
def test_the_auth_url_of_a_rotating_token_is_not_handed_out(owner, salesforce, path, query):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    register(owner, an_org(salesforce, "hub@acme.example", is_dev_hub=True), app, isDevHub=True, isDefault=True)

    answer = owner.get(path, authType="sfdxAuthUrl", **query)

    assert answer.status_code == 409
    assert answer.json()["code"] == "CREDENTIAL_ROTATES"
    assert AuditEvent.objects.filter(action="auth_url.handed_out", outcome="failed").count() == 1


@both
def test_no_auth_url_when_the_release_is_off(owner, hub, settings, path, query):
    settings.ALLOW_AUTH_URL_RELEASE = False

    answer = owner.get(path, authType="sfdxAuthUrl", **query)

    assert answer.status_code == 403
    assert answer.json()["code"] == "AUTH_URL_RELEASE_OFF"


@both
def test_a_dead_credential_does_not_hide_the_org(owner, salesforce, hub, path, query):
    hub.revoke_all()

    answer = owner.get(path, **query)

    assert answer.status_code == 200
    assert answer.json()["authError"]["code"] == "CREDENTIAL_EXPIRED"
    assert "sf org login web" in answer.json()["authError"]["action"]
    assert answer.json()["health"]["state"] == "expired"
    assert answer.json()["health"]["reason"] == "CREDENTIAL_EXPIRED"
    assert "accessToken" not in answer.json()


@both
@pytest.mark.parametrize("auth_type", ["accessToken", "sfdxAuthUrl"])
def test_a_dead_credential_that_was_asked_for_by_name_is_an_error(owner, salesforce, hub, path, query, auth_type):
    hub.revoke_all()
    owner.get(path, **query)
    salesforce.reset_calls()

    answer = owner.get(path, authType=auth_type, **query)

    assert answer.status_code == 409
    assert answer.json()["code"] == "CREDENTIAL_EXPIRED"
    assert salesforce.calls == [], "a definite refusal is on record and is not asked for again"


@both
def test_salesforce_being_down_does_not_hide_the_org(owner, salesforce, hub, path, query):
    salesforce.inject(Fault.html_maintenance())

    answer = owner.get(path, **query)

    assert answer.status_code == 200
    assert answer.json()["authError"]["code"] == "UPSTREAM_MAINTENANCE"


@both
def test_a_head_request_mints_nothing(owner, salesforce, hub, path, query):
    salesforce.reset_calls()

    answer = owner.head(path, **query)

    assert answer.status_code == 200
    assert salesforce.calls == []


@both
@pytest.mark.parametrize(
    "header", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}]
)
def test_a_prefetch_mints_nothing(owner, salesforce, hub, path, query, header):
    salesforce.reset_calls()

    answer = owner.send("GET", path, query=query, headers=header)

    assert answer.status_code == 204
    assert salesforce.calls == []


def test_an_unknown_org(owner):
    answer = owner.get(ORG, username="nobody@acme.example")

    assert answer.status_code == 404
    assert answer.json()["code"] == "ORG_NOT_FOUND"


def test_no_default_dev_hub(owner, salesforce):
    a_registered_org(owner, salesforce, isDevHub=True)

    answer = owner.get(DEFAULT_DEVHUB)

    assert answer.status_code == 404
    assert answer.json()["code"] == "NO_DEFAULT_DEVHUB"


@pytest.mark.parametrize("spelling", ["HUB@ACME.example", " hub@acme.example "])
def test_case_and_spaces_do_not_matter(member, hub, spelling):
    assert member.get(ORG, username=spelling).json()["username"] == "hub@acme.example"


def test_a_sandbox_name_that_two_orgs_share_is_not_guessed(owner, salesforce):
    for name in ("one", "two"):
        register(owner, salesforce.add_sandbox(an_org(salesforce, f"{name}@acme.example"), "dev1"))

    answer = owner.get(ORG, username="dev1")

    assert answer.status_code == 409
    assert answer.json()["code"] == "AMBIGUOUS_SANDBOX"
    assert "one@acme.example.dev1, two@acme.example.dev1" in answer.json()["message"]


def test_an_org_that_moved_shows_its_new_address_after_the_next_token(owner, salesforce, hub):
    hub.move_to("hub-new.my.salesforce.com")

    first = owner.get(ORG, username="hub@acme.example", authType="accessToken")

    assert first.json()["instanceUrl"] == "https://hub-new.my.salesforce.com"

"""Sandboxes, scratch orgs and front-door links: the client against the emulator."""

import json
from dataclasses import replace

import pytest
import requests

from orgs.salesforce import AuthUrl, SalesforceClient, errors, frontdoor_with_session
from orgs.salesforce.emulator import Emulator, Fault
from orgs.salesforce.soql import field_name, literal

FIELD = "SfdxAuthUrl__c"


@pytest.fixture
def emulator():
    return Emulator()


@pytest.fixture
def production(emulator):
    return emulator.add_org("acme.my.salesforce.com", username="ci@acme.example", is_dev_hub=True)


@pytest.fixture
def client(served, a_transport, hosts):
    return SalesforceClient(a_transport(gateway=served.url), hosts)


@pytest.fixture
def session(client, production, hosts):
    return client.refresh(AuthUrl.parse(production.auth_url(), hosts)).session


def _code(client, session, name="dev1"):
    return client.sandbox_code(session, sandbox_name=name, client_id="PlatformCLI")


def test_a_code_of_sandbox_auth_becomes_a_grant_of_the_sandbox(client, session, emulator, production):
    sandbox = emulator.add_sandbox(production, "dev1")

    code = _code(client, session, "DEV1")
    response = client.exchange_code(code, client_id="PlatformCLI", client_secret="")

    assert code.username == "ci@acme.example.dev1"
    assert response.refresh_token
    assert response.session.org_id == sandbox.org_id
    assert response.session.instance_url == sandbox.instance_url
    assert client.identity(response.session).username == "ci@acme.example.dev1"


def test_a_code_is_good_once_and_for_its_app_and_callback(client, session, emulator, production):
    emulator.add_sandbox(production, "dev1")
    code = _code(client, session)
    client.exchange_code(code, client_id="PlatformCLI", client_secret="")

    with pytest.raises(errors.UnknownRefusal):
        client.exchange_code(code, client_id="PlatformCLI", client_secret="")
    elsewhere = replace(_code(client, session), callback_url="http://localhost:1/")
    with pytest.raises(errors.UnknownRefusal):
        client.exchange_code(elsewhere, client_id="PlatformCLI", client_secret="")


def test_the_sixth_exchange_ends_the_first_grant(client, session, emulator, production):
    emulator.add_sandbox(production, "dev1")

    tokens = [
        client.exchange_code(_code(client, session), client_id="PlatformCLI", client_secret="").refresh_token
        for _ in range(6)
    ]

    assert [emulator.is_alive(token) for token in tokens] == [False] + [True] * 5


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda emulator, org, sandbox: setattr(org.processes[-1], "status", "Processing"), "INVALID_STATUS"),
        (lambda emulator, org, sandbox: setattr(org.processes[-1], "status", "Deleted"), "NOT_FOUND"),
        (lambda emulator, org, sandbox: setattr(sandbox, "creator", "release@acme.example"), "INSUFFICIENT_ACCESS"),
    ],
)
def test_sandbox_auth_refuses(spoil, code, client, session, emulator, production):
    spoil(emulator, production, emulator.add_sandbox(production, "dev1"))

    with pytest.raises(errors.RequestRefused) as refusal:
        _code(client, session)

    assert refusal.value.error_code == code


def test_an_unknown_sandbox_has_no_state_and_no_code(client, session):
    assert client.sandbox_state(session, "nope") is None
    with pytest.raises(errors.RequestRefused):
        _code(client, session, "nope")


def test_a_refreshed_sandbox_is_another_org_and_its_tokens_are_dead(client, session, emulator, production, hosts):
    sandbox = emulator.add_sandbox(production, "dev1")
    url, was = sandbox.auth_url(), sandbox.org_id

    sandbox.refresh_sandbox()

    state = client.sandbox_state(session, "dev1")
    assert state.org_id == sandbox.org_id[:15] != was[:15]
    assert state.is_ready
    with pytest.raises(errors.ExpiredToken):
        client.refresh(AuthUrl.parse(url, hosts))


@pytest.mark.parametrize(
    "changes",
    [{"loginUrl": "https://evil.example"}, {"instanceUrl": "http://10.0.0.5"}, {"loginUrl": "https://x@evil.example"}],
)
def test_a_code_for_a_foreign_host_is_not_believed(changes, client, session, emulator, production):
    emulator.add_sandbox(production, "dev1")
    emulator.inject(Fault.fields(**changes), path="/services/data/v67.0/tooling/sandboxAuth")

    with pytest.raises(errors.Untrusted):
        _code(client, session)


def test_a_scratch_org_is_found_by_its_username(client, session, emulator, production):
    org = emulator.add_scratch_org(production, username="s1@acme.example", host="s1-dev-ed.scratch.my.salesforce.com")

    record = client.scratch_org(session, "S1@acme.example", auth_url_field=FIELD)

    assert record.org_id == org.org_id
    assert record.auth_url == production.scratch_record("s1@acme.example").fields[FIELD]
    assert record.auth_url not in repr(record)
    assert client.scratch_org(session, "s2@acme.example", auth_url_field=FIELD) is None


def test_a_new_auth_url_is_written_to_the_record(client, session, emulator, production, hosts):
    org = emulator.add_scratch_org(production, username="s1@acme.example", host="s1-dev-ed.scratch.my.salesforce.com")
    record = client.scratch_org(session, "s1@acme.example", auth_url_field=FIELD)
    url = AuthUrl.parse(org.auth_url(), hosts)

    client.write_auth_url(session, record, url, field=FIELD)

    assert client.scratch_org(session, "s1@acme.example", auth_url_field=FIELD).auth_url == url.reveal()
    production.scratch_info_is_read_only = True
    with pytest.raises(errors.RequestRefused):
        client.write_auth_url(session, record, url, field=FIELD)


def test_a_pool_is_found_by_its_tag(client, session, emulator, production):
    for number in (1, 2, 3):
        emulator.add_scratch_org(
            production,
            username=f"s{number}@acme.example",
            host=f"s{number}-dev-ed.scratch.my.salesforce.com",
            Pooltag__c="features" if number < 3 else "other",
            Allocation_status__c="Available",
        )

    records = client.scratch_pool(session, "features", tag_field="Pooltag__c", allocation_field="Allocation_status__c")

    assert [(record.username, record.allocation) for record in records] == [
        ("s2@acme.example", "Available"),
        ("s1@acme.example", "Available"),
    ]


@pytest.mark.parametrize("name", ["x' OR Status='Active", "x\\' OR Status='Active", "\\", "'", "a\\\\'b", "a\nb"])
def test_a_hostile_value_stays_one_literal(name, client, session, emulator, production):
    assert client.scratch_org(session, name, auth_url_field=FIELD) is None
    assert emulator.calls[-1].literals == 1


def test_a_literal_escapes_the_backslash_first():
    assert literal("a\\'b") == "'a\\\\\\'b'"
    with pytest.raises(ValueError, match="not a valid Salesforce field name"):
        field_name("SfdxAuthUrl__c FROM User --")


# --- One-time links --------------------------------------------------------------------------------


def test_a_one_time_link_opens_the_org_once_and_passes_on_to_another_origin(client, session, emulator, served):
    emulator.gateway = served.url.replace("127.0.0.1", "localhost")
    client._transport.gateway = emulator.gateway

    link = client.one_time_link(session, "/lightning/setup/SetupOneHome/home")
    first = requests.get(link, timeout=5)
    second = requests.get(link, timeout=5)

    assert link.startswith(f"{emulator.gateway}/org/acme.my.salesforce.com/secur/frontdoor.jsp?otp=")
    assert "sid=" not in link
    assert first.url.startswith(served.url)  # 127.0.0.1 is another origin than localhost
    assert "ci@acme.example" in first.text
    assert "/lightning/setup/SetupOneHome/home" in first.text
    assert second.status_code == 403
    assert "has been used" in second.text


def test_a_link_of_an_org_leads_to_its_own_host(emulator, production, a_transport, hosts, served):
    bare = SalesforceClient(a_transport(gateway=served.url), hosts)
    session = bare.refresh(AuthUrl.parse(production.auth_url(), hosts)).session
    assert session is not None

    with pytest.raises(errors.Untrusted):  # the demo trusts links to its gateway only
        bare.one_time_link(session)


def test_a_user_who_may_not_log_in_by_browser_gets_no_link(client, session, production):
    production.users[0].api_only = True

    with pytest.raises(errors.SessionExpired):
        client.one_time_link(session)


@pytest.mark.parametrize(
    ("link", "error"),
    [
        ("https://evil.example/secur/frontdoor.jsp?otp=1", errors.Untrusted),
        ("https://acme.my.salesforce.com@evil.example/?otp=1", errors.Untrusted),
        ("javascript:alert(1)", errors.Untrusted),
        ("https://acme.my.salesforce.com\\@evil.example", errors.Unreadable),
        ("https://acme.my.salesforce.com/\r\nSet-Cookie: a=b", errors.Unreadable),
        ("", errors.Unreadable),
    ],
)
def test_a_foreign_link_is_not_believed(link, error, client, session, emulator):
    emulator.inject(Fault.body(b'{"frontdoor_uri": %s}' % json.dumps(link).encode()))

    with pytest.raises(error):
        client.one_time_link(session)


def test_the_old_link_escapes_what_it_holds(session):
    link = frontdoor_with_session(session, "/a?b=c&sid=x")

    assert link == f"{session.instance_url}/secur/frontdoor.jsp?sid={session.access_token.replace('!', '%21')}" + (
        "&retURL=%2Fa%3Fb%3Dc%26sid%3Dx"
    )


def test_responses_are_due_before_a_deadline(client, session):
    with pytest.raises(errors.ConnectTimedOut):
        client.until(0.0).organization(session)

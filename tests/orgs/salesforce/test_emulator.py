"""The emulator refuses what Salesforce refuses, over every transport."""

import threading

import pytest
import requests
import responses

from orgs.salesforce import AuthUrl, HostPolicy, SalesforceClient, errors
from orgs.salesforce.emulator import Fault, demo_data, error_texts

HOST = "acme.my.salesforce.com"


@pytest.fixture
def org(emulator):
    return emulator.add_org(HOST, username="ci@acme.example")


def ask(server, auth_url, *, host="", **changes):
    """Refresh over HTTP with plain requests. Returns the status and the JSON."""
    url = AuthUrl.parse(auth_url, HostPolicy())
    form = {
        "grant_type": "refresh_token",
        "client_id": url.client_id,
        "client_secret": url.client_secret,
        "refresh_token": url.refresh_token,
    } | changes
    with requests.Session() as session:
        session.trust_env = False
        headers = {"Host": host or url.host}
        verify = server.ca_bundle or True
        with session.post(f"{server.url}/services/oauth2/token", form, headers=headers, verify=verify) as response:
            return response.status_code, response.json()


def refusal(text):
    return 400, {"error": text[0], "error_description": text[1]}


def test_the_in_process_transport_serves_every_known_host(emulator, org):
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        emulator.install(mock)

        results = [
            requests.get(f"https://{host}/services/data", timeout=5)
            for host in (HOST, "login.salesforce.com", "test.salesforce.com")
        ]

    assert [response.status_code for response in results] == [200, 200, 200]
    assert [call.host for call in emulator.calls] == [HOST, "login.salesforce.com", "test.salesforce.com"]


def test_the_in_process_transport_does_not_resolve_a_foreign_host(salesforce):
    with pytest.raises(requests.ConnectionError):
        requests.get("https://unknown.my.salesforce.com/services/data", timeout=5)

    assert salesforce.calls == []


@pytest.mark.parametrize("tls", [False, True])
def test_the_server_responds_with_and_without_tls(emulator, org, tls):
    with emulator.serve(tls=tls) as server:
        status, content = ask(server, org.auth_url())

    assert status == 200
    assert content["instance_url"] == f"https://{HOST}"
    assert content["id"] == f"https://login.salesforce.com/id/{org.org_id}/{org.users[0].user_id}"
    assert "refresh_token" not in content
    assert "expires_in" not in content


def test_a_token_is_refreshed_by_one_request_at_a_time(emulator, org, served):
    emulator.token_latency = 1.0
    auth_url, results = org.auth_url(), []
    threads = [threading.Thread(target=lambda: results.append(ask(served, auth_url))) for _ in range(2)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(status for status, _ in results) == [200, 400]
    assert refusal(error_texts.ALREADY_PROCESSING) in results


def test_two_tokens_are_refreshed_at_the_same_time(emulator, org, served):
    emulator.token_latency = 1.0
    results = []
    threads = [
        threading.Thread(target=lambda url=url: results.append(ask(served, url)))
        for url in (org.auth_url(), org.auth_url())
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [status for status, _ in results] == [200, 200]


def test_a_token_works_again_after_its_refresh(emulator, org, served):
    auth_url = org.auth_url()

    statuses = [ask(served, auth_url)[0] for _ in range(3)]

    assert statuses == [200, 200, 200]


def test_using_a_spent_token_again_ends_the_family(emulator, org, served):
    auth_url = org.auth_url(emulator.add_app("AcmeCI", rotates=True))
    _, first = ask(served, auth_url)

    again = ask(served, auth_url)

    assert again == refusal(error_texts.EXPIRED)
    assert ask(served, auth_url, refresh_token=first["refresh_token"]) == refusal(error_texts.EXPIRED)
    assert not emulator.is_alive(auth_url)
    assert not emulator.sessions[first["access_token"]].alive


def test_the_sixth_grant_of_a_user_and_app_ends_the_first(emulator, org, served):
    grants = [org.auth_url() for _ in range(6)]

    results = [ask(served, grant) for grant in grants]

    assert [status for status, _ in results] == [400, 200, 200, 200, 200, 200]
    assert results[0] == refusal(error_texts.EXPIRED)


def test_grants_of_another_user_or_app_do_not_count(emulator, org, served):
    first = org.auth_url()
    other_user, other_app = org.add_user("other@acme.example"), emulator.add_app("AcmeCI")
    for _ in range(5):
        org.auth_url(user=other_user)
        org.auth_url(other_app)

    assert ask(served, first)[0] == 200


@pytest.mark.parametrize("host", ["other.my.salesforce.com", "test.salesforce.com"])
def test_a_token_is_refused_at_the_host_of_another_org(emulator, org, served, host):
    emulator.add_org("other.my.salesforce.com", username="ci@other.example")

    assert ask(served, org.auth_url(), host=host) == refusal(error_texts.EXPIRED)


def test_a_session_is_refused_at_the_host_of_another_org(salesforce, org, client, hosts):
    other = salesforce.add_org("other.my.salesforce.com", username="ci@other.example")
    token = client.refresh(AuthUrl.parse(org.auth_url(), hosts)).session.access_token

    response = requests.get(
        f"{other.instance_url}/services/data/v67.0/query",
        {"q": "SELECT Name FROM Organization"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=5,
    )

    assert (response.status_code, response.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")


@pytest.mark.parametrize(
    ("kind", "host", "status"),
    [
        ("production", "login.salesforce.com", 200),
        ("production", "test.salesforce.com", 400),
        ("sandbox", "test.salesforce.com", 200),
        ("sandbox", "login.salesforce.com", 400),
        ("scratch", "test.salesforce.com", 200),
        ("scratch", "login.salesforce.com", 400),
    ],
)
def test_each_login_host_takes_the_tokens_of_its_own_kind_of_org(emulator, served, kind, host, status):
    org = emulator.add_org(HOST, username="ci@acme.example", kind=kind)

    assert ask(served, org.auth_url(), host=host)[0] == status


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda _, org: org.users[0].deactivate(), error_texts.INACTIVE_USER),
        (lambda _, org: org.suspend(), error_texts.INACTIVE_ORG),
        (lambda _, org: org.revoke_all(), error_texts.EXPIRED),
        (
            lambda emulator, org: setattr(emulator.apps["PlatformCLI"], "installed", False),
            error_texts.APP_NOT_INSTALLED,
        ),
        (lambda _, org: setattr(org.users[0], "approved", False), error_texts.NOT_APPROVED),
        (lambda _, org: setattr(org, "ip_restricted", True), error_texts.IP_RESTRICTED),
    ],
)
def test_a_refresh_is_refused_in_the_words_of_salesforce(emulator, org, served, change, text):
    auth_url = org.auth_url()
    change(emulator, org)

    assert ask(served, auth_url) == refusal(text)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"client_id": "unknown"}, error_texts.WRONG_CLIENT_ID),
        ({"client_secret": "wrong"}, error_texts.WRONG_SECRET),
        ({"refresh_token": "unknown"}, error_texts.EXPIRED),
        ({"refresh_token": ""}, error_texts.EXPIRED),
        ({"grant_type": "password"}, error_texts.WRONG_GRANT_TYPE),
    ],
)
def test_a_wrong_request_is_refused_in_the_words_of_salesforce(emulator, org, served, changes, text):
    assert ask(served, org.auth_url(), **changes) == refusal(text)


def test_a_session_ends_with_its_time(salesforce, org, client, hosts):
    now = [1_800_000_000.0]
    salesforce.clock = lambda: now[0]
    session = client.refresh(AuthUrl.parse(org.auth_url(), hosts)).session
    client.organization(session)
    now[0] += salesforce.session_seconds

    with pytest.raises(errors.SessionExpired):
        client.organization(session)


def test_a_fault_applies_as_often_and_where_it_was_injected(emulator, org, served):
    emulator.inject(Fault.status(500), host=HOST, path="/services/data", times=2)
    with requests.Session() as session:
        session.trust_env = False
        statuses = [session.get(f"{served.url}/services/data", headers={"Host": HOST}).status_code for _ in range(3)]
        elsewhere = session.get(f"{served.url}/services/data", headers={"Host": "login.salesforce.com"}).status_code

    assert (statuses, elsewhere) == ([500, 500, 200], 200)


def test_a_lost_response_to_a_rotating_app_has_spent_the_token(emulator, org, served, a_transport, hosts):
    auth_url = org.auth_url(emulator.add_app("AcmeCI", rotates=True))
    client = SalesforceClient(a_transport(gateway=served.url), hosts)
    emulator.inject(Fault.reset())
    with pytest.raises(errors.LostResponse):
        client.refresh(AuthUrl.parse(auth_url, hosts))

    with pytest.raises(errors.ExpiredToken):
        client.refresh(AuthUrl.parse(auth_url, hosts))


def test_no_repr_shows_a_token():
    emulator = demo_data.demo()

    shown = repr(emulator) + repr(emulator.grants) + repr(emulator.apps)

    assert "5Aep861" not in shown
    assert "demo-secret" not in shown


def test_every_auth_url_of_the_demo_works():
    emulator = demo_data.demo()
    with emulator.serve() as server:
        statuses = [ask(server, auth_url)[0] for auth_url in demo_data.auth_urls(emulator).values()]

    assert statuses == [200] * len(emulator.orgs)

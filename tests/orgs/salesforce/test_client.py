"""The client's calls, against the emulator in this process."""

import pytest

from orgs.salesforce import AuthUrl, SalesforceClient, errors
from orgs.salesforce import client as client_module
from orgs.salesforce.emulator import Fault

HOST = "acme.my.salesforce.com"
TOKEN_PATH = "/services/oauth2/token"


@pytest.fixture
def org(salesforce):
    return salesforce.add_org(HOST, username="ci@acme.example", name="Acme", is_dev_hub=True)


@pytest.fixture
def auth_url(org, hosts):
    return AuthUrl.parse(org.auth_url(), hosts)


@pytest.fixture
def session(client, auth_url):
    return client.refresh(auth_url).session


def test_a_refresh_gives_a_session(client, org, auth_url):
    response = client.refresh(auth_url)

    assert response.fault is None
    assert response.refresh_token is None
    assert response.session.instance_url == f"https://{HOST}"
    assert response.session.org_id == org.org_id
    assert response.session.user_id == org.users[0].user_id


def test_a_refresh_sends_the_secret_of_an_app_that_has_one(client, salesforce, org, hosts):
    app = salesforce.add_app("AcmeCI", "s3cret")

    response = client.refresh(AuthUrl.parse(org.auth_url(app), hosts))

    assert response.session is not None


def test_a_refresh_with_the_wrong_secret_is_refused(client, salesforce, org, hosts):
    url = AuthUrl.parse(org.auth_url(salesforce.add_app("AcmeCI", "s3cret")), hosts)

    with pytest.raises(errors.AppRejected):
        client.refresh(AuthUrl(url.client_id, "other", url.refresh_token, url.host))


def test_a_refresh_of_a_rotating_app_returns_the_next_token(client, salesforce, org, hosts):
    url = AuthUrl.parse(org.auth_url(salesforce.add_app("AcmeCI", rotates=True)), hosts)

    first = client.refresh(url)
    second = client.refresh(AuthUrl(url.client_id, "", first.refresh_token, url.host))

    assert len({url.refresh_token, first.refresh_token, second.refresh_token}) == 3
    assert second.session is not None


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"instance_url": "https://evil.example"}, errors.Untrusted),
        ({"instance_url": "http://acme.my.salesforce.com"}, errors.Untrusted),
        ({"instance_url": "https://10.0.0.5"}, errors.Untrusted),
        ({"instance_url": "https://acme.my.salesforce.com@evil.example"}, errors.Untrusted),
        ({"instance_url": None}, errors.Unreadable),
        ({"instance_url": 7}, errors.Unreadable),
        ({"id": "https://evil.example/id/00D000000000001EAA/005000000000001AAA"}, errors.Untrusted),
        ({"id": "http://login.salesforce.com/id/00D000000000001EAA/005000000000001AAA"}, errors.Untrusted),
        ({"id": "https://login.salesforce.com/id/005000000000001AAA/00D000000000001EAA"}, errors.Unreadable),
        ({"id": "https://login.salesforce.com/id/00D/005"}, errors.Unreadable),
        ({"id": "https://[login"}, errors.Unreadable),
        ({"id": None}, errors.Unreadable),
        ({"access_token": None}, errors.Unreadable),
        ({"access_token": ""}, errors.Unreadable),
        ({"access_token": "two\r\nlines"}, errors.Unreadable),
        ({"access_token": "x" * 16_385}, errors.Unreadable),
    ],
)
def test_the_next_token_is_kept_despite_other_faults_of_the_response(client, salesforce, org, hosts, changes, fault):
    url = AuthUrl.parse(org.auth_url(salesforce.add_app("AcmeCI", rotates=True)), hosts)
    salesforce.inject(Fault.fields(**changes), path=TOKEN_PATH)

    response = client.refresh(url)

    assert response.session is None
    assert type(response.fault) is fault
    assert client.refresh(AuthUrl(url.client_id, "", response.refresh_token, url.host)).session is not None


@pytest.mark.parametrize("token", ["", "two words", "x" * 4097, 7, {"a": 1}])
def test_an_invalid_next_token_is_not_returned(client, salesforce, auth_url, token):
    salesforce.inject(Fault.fields(refresh_token=token), path=TOKEN_PATH)

    response = client.refresh(auth_url)

    assert response.refresh_token is None
    assert response.session is not None


def test_the_sent_token_is_not_returned_as_the_next_one(client, salesforce, auth_url):
    salesforce.inject(Fault.fields(refresh_token=auth_url.refresh_token), path=TOKEN_PATH)

    assert client.refresh(auth_url).refresh_token is None


def test_the_new_host_of_a_moved_org_is_returned(client, org, auth_url):
    org.move_to("acme-new.my.salesforce.com")

    assert client.refresh(auth_url).session.instance_url == "https://acme-new.my.salesforce.com"


def test_the_identity_names_user_and_org(client, org, session):
    identity = client.identity(session)

    assert identity.username == "ci@acme.example"
    assert (identity.user_id, identity.org_id) == (org.users[0].user_id, org.org_id)


@pytest.mark.parametrize(
    "changes",
    [
        {"organization_id": "00D000000000009EAA"},
        {"organization_id": None},
        {"user_id": "../Organization"},
        {"user_id": None},
    ],
)
def test_an_identity_of_another_org_or_of_no_user_is_unreadable(client, salesforce, session, changes):
    salesforce.inject(Fault.fields(**changes), path="/services/oauth2/userinfo")

    with pytest.raises(errors.Unreadable):
        client.identity(session)


@pytest.mark.parametrize(("kind", "trial"), [("production", None), ("sandbox", None), ("scratch", "2099-12-31")])
def test_the_kind_of_an_org_is_read_from_its_organization_row(client, salesforce, hosts, kind, trial):
    org = salesforce.add_org("a.my.salesforce.com", username="a@acme.example", kind=kind, instance_name="CS42")
    org.trial_expiration = trial
    session = client.refresh(AuthUrl.parse(org.auth_url(), hosts)).session

    organization = client.organization(session)

    assert organization.kind == kind
    assert organization.instance_name == "CS42"
    assert organization.trial_expiration == trial
    assert organization.organization_type == "Enterprise Edition"


@pytest.mark.parametrize("name", ["\u682a\u5f0f\u3000\u4f1a\u793e", "Acme\u00a0GmbH", "B\u00fccher & Co"])
def test_a_text_may_contain_unicode_spaces(client, org, session, name):
    org.instance_name = name

    assert client.organization(session).instance_name == name


@pytest.mark.parametrize("name", ["two\nlines", "bell\x07", "turned\u202eround", "", "x" * 256])
def test_a_text_that_is_not_one_line_is_unreadable(client, org, session, name):
    org.instance_name = name

    with pytest.raises(errors.Unreadable):
        client.organization(session)


@pytest.mark.parametrize("is_dev_hub", [True, False])
def test_only_a_dev_hub_is_known_as_one(client, salesforce, org, session, is_dev_hub):
    org.is_dev_hub = is_dev_hub

    assert client.is_dev_hub(session) is is_dev_hub


def test_a_failed_dev_hub_probe_is_an_error(client, salesforce, session):
    client.newest_version(session.instance_url)
    salesforce.inject(Fault.rest(403, "API_DISABLED_FOR_ORG"))

    with pytest.raises(errors.RequestRefused) as caught:
        client.is_dev_hub(session)

    assert (caught.value.error_code, caught.value.status) == ("API_DISABLED_FOR_ORG", 403)


def test_the_newest_version_is_kept(client, salesforce, org):
    versions = {client.newest_version(org.instance_url) for _ in range(3)}

    assert versions == {"67.0"}
    assert len(salesforce.calls) == 1


def test_the_newest_version_is_requested_again_after_a_day(client, salesforce, org, monkeypatch):
    client.newest_version(org.instance_url)
    monkeypatch.setattr(client_module, "_VERSION_KEPT_SECONDS", 0.0)

    client.newest_version(org.instance_url)

    assert len(salesforce.calls) == 2


def test_the_newest_version_is_kept_for_each_instance(client, salesforce, org):
    other = salesforce.add_org("other.my.salesforce.com", username="ci@other.example")

    client.newest_version(org.instance_url)
    client.newest_version(other.instance_url)

    assert [call.host for call in salesforce.calls] == [org.host, other.host]


def test_the_newest_version_is_the_highest_and_not_the_last(client, salesforce, org):
    salesforce.inject(Fault.body(b'[{"version":"9.0"},{"version":"100.0"},{"version":"67.0"}]'))

    assert client.newest_version(org.instance_url) == "100.0"


def test_a_configured_version_needs_no_request(a_transport, salesforce, hosts, org):
    client = SalesforceClient(a_transport(), hosts, api_version="59.0")

    assert client.newest_version(org.instance_url) == "59.0"
    assert salesforce.calls == []


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b"null",
        b"[1]",
        b'[{"version":67}]',
        b'[{"version":"../x"}]',
        b'[{"version":"67.0/../.."}]',
        '[{"version":"\u0666\u0667.0"}]'.encode(),
        b'[{"version":"6_7.0"}]',
        b'[{"version":"1234567.0"}]',
    ],
)
def test_an_invalid_list_of_versions_is_unreadable_and_not_cached(client, salesforce, org, body):
    salesforce.inject(Fault.body(body))

    with pytest.raises(errors.Unreadable):
        client.newest_version(org.instance_url)

    assert client.newest_version(org.instance_url) == "67.0"


def test_a_token_may_be_revoked_twice(client, auth_url, session):
    client.revoke(auth_url.host, auth_url.refresh_token)
    client.revoke(auth_url.host, auth_url.refresh_token)

    with pytest.raises(errors.ExpiredToken):
        client.refresh(auth_url)
    with pytest.raises(errors.SessionExpired):
        client.identity(session)


def test_a_revocation_that_salesforce_could_not_do_is_an_error(client, salesforce, auth_url):
    salesforce.inject(Fault.status(500), path="/services/oauth2/revoke")

    with pytest.raises(errors.ServerError):
        client.revoke(auth_url.host, auth_url.refresh_token)

    assert salesforce.is_alive(auth_url.refresh_token)

"""Snapshots: the emulator's state outlives a restart."""

import stat

import pytest

from orgs.salesforce import AuthUrl, SalesforceClient, errors
from orgs.salesforce.emulator import demo_data, snapshot


@pytest.fixture
def path(tmp_path):
    return tmp_path / "emulator.json"


def _again(emulator, path):
    snapshot.save(emulator, path)
    return snapshot.load(path)


def test_a_loaded_snapshot_has_the_same_orgs_users_and_apps(path):
    emulator = demo_data.demo()

    loaded = _again(emulator, path)

    assert [vars(app) for app in loaded.apps.values()] == [vars(app) for app in emulator.apps.values()]
    assert [_fields(org) for org in loaded.orgs] == [_fields(org) for org in emulator.orgs]


def _fields(org):
    fields = {name: value for name, value in vars(org).items() if name not in ("emulator", "users")}
    return fields | {"users": [(user.user_id, user.username) for user in org.users]}


def test_a_loaded_snapshot_has_the_same_tokens(path):
    emulator = demo_data.demo()

    loaded = _again(emulator, path)

    assert demo_data.auth_urls(loaded) == demo_data.auth_urls(emulator)


def test_a_session_outlives_a_restart(path, a_transport, hosts):
    emulator = demo_data.demo()
    auth_url = AuthUrl.parse(demo_data.auth_urls(emulator)["devhub@acme.example"], hosts)
    with emulator.serve() as server:
        session = SalesforceClient(a_transport(gateway=server.url), hosts).refresh(auth_url).session
    assert session is not None

    with _again(emulator, path).serve() as server:
        identity = SalesforceClient(a_transport(gateway=server.url), hosts).identity(session)

    assert identity.username == "devhub@acme.example"


def test_a_spent_token_is_still_known_as_spent_after_a_restart(path, a_transport, hosts):
    emulator = demo_data.demo()
    auth_url = AuthUrl.parse(demo_data.auth_urls(emulator)["emea@acme.example"], hosts)
    with emulator.serve() as server:
        SalesforceClient(a_transport(gateway=server.url), hosts).refresh(auth_url)
    loaded = _again(emulator, path)

    with loaded.serve() as server, pytest.raises(errors.ExpiredToken):
        SalesforceClient(a_transport(gateway=server.url), hosts).refresh(auth_url)

    assert not loaded.is_alive(auth_url.refresh_token)


def test_an_ended_grant_stays_ended(path):
    emulator = demo_data.demo()
    auth_url = demo_data.auth_urls(emulator)["devhub@acme.example"]
    emulator.orgs[0].revoke_all()

    assert not _again(emulator, path).is_alive(auth_url)


def test_every_change_of_a_token_reaches_the_disk(path):
    emulator = demo_data.demo()
    emulator.on_change = lambda changed: snapshot.save(changed, path)

    auth_url = emulator.orgs[0].auth_url()

    assert snapshot.load(path).is_alive(auth_url)


def test_only_the_owner_may_read_the_file(path):
    snapshot.save(demo_data.demo(), path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["emulator.json"]

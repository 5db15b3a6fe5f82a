"""The world on disk: what was there before a restart is there after it."""

import stat

import pytest

from orgs.salesforce import AuthUrl, SalesforceClient, errors
from orgs.salesforce.emulator import demo_data, snapshot


@pytest.fixture
def path(tmp_path):
    return tmp_path / "world.json"


def _again(world, path):
    snapshot.save(world, path)
    return snapshot.load(path)


def test_a_saved_world_has_the_same_orgs_users_and_apps(path):
    world = demo_data.demo()

    loaded = _again(world, path)

    assert [vars(app) for app in loaded.apps.values()] == [vars(app) for app in world.apps.values()]
    assert [_facts(org) for org in loaded.orgs] == [_facts(org) for org in world.orgs]


def _facts(org):
    facts = {name: value for name, value in vars(org).items() if name not in ("emulator", "users")}
    return facts | {"users": [(user.user_id, user.username) for user in org.users]}


def test_a_saved_world_has_the_same_tokens(path):
    world = demo_data.demo()

    loaded = _again(world, path)

    assert demo_data.auth_urls(loaded) == demo_data.auth_urls(world)


def test_a_session_outlives_a_restart(path, a_transport, hosts):
    world = demo_data.demo()
    auth_url = AuthUrl.parse(demo_data.auth_urls(world)["devhub@acme.example"], hosts)
    with world.serve() as server:
        session = SalesforceClient(a_transport(gateway=server.url), hosts).refresh(auth_url).session

    with _again(world, path).serve() as server:
        identity = SalesforceClient(a_transport(gateway=server.url), hosts).identity(session)

    assert identity.username == "devhub@acme.example"


def test_a_spent_token_is_still_known_as_spent_after_a_restart(path, a_transport, hosts):
    world = demo_data.demo()
    auth_url = AuthUrl.parse(demo_data.auth_urls(world)["emea@acme.example"], hosts)
    with world.serve() as server:
        SalesforceClient(a_transport(gateway=server.url), hosts).refresh(auth_url)
    loaded = _again(world, path)

    with loaded.serve() as server, pytest.raises(errors.ExpiredToken):
        SalesforceClient(a_transport(gateway=server.url), hosts).refresh(auth_url)

    assert not loaded.is_alive(auth_url.refresh_token)


def test_a_dead_grant_stays_dead(path):
    world = demo_data.demo()
    auth_url = demo_data.auth_urls(world)["devhub@acme.example"]
    world.orgs[0].revoke_all()

    assert not _again(world, path).is_alive(auth_url)


def test_every_change_of_a_token_reaches_the_disk(path):
    world = demo_data.demo()
    world.on_change = lambda changed: snapshot.save(changed, path)

    auth_url = world.orgs[0].auth_url()

    assert snapshot.load(path).is_alive(auth_url)


def test_nobody_else_may_read_the_file(path):
    snapshot.save(demo_data.demo(), path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["world.json"]

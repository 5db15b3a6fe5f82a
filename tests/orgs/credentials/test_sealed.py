"""A desk whose FERNET_KEYS do not decrypt its database refuses requests and changes nothing."""

from collections.abc import Iterator

import pytest

from orgs.salesforce.emulator import Emulator
from tests.orgs.credentials.drills.crasher import Crasher
from tests.orgs.factories import ACCESS_TOKEN, ORGS, REGISTER, TEST_CONNECTION
from tests.support.live_server import Desk, live_desk

pytestmark = [pytest.mark.django_db]
NAMED = "?username=ci@acme.example"
WRONG = {"FERNET_KEYS": "of-another-desk-" + "w" * 40}


@pytest.fixture(scope="module")
def world() -> Emulator:
    return Emulator()


@pytest.fixture(scope="module")
def url(world) -> str:
    app = world.add_app("AcmeCI", "s3cret", rotates=True)
    return str(world.add_org("ci.my.salesforce.com", username="ci@acme.example").auth_url(app))


@pytest.fixture(scope="module")
def sealed(world, url, tmp_path_factory, django_db_setup, django_db_blocker) -> Iterator[Desk]:
    """A desk that was started with wrong keys while the newest token of its org was in the spool only."""
    folder = tmp_path_factory.mktemp("sealed")
    with django_db_blocker.unblock(), world.serve() as server, live_desk(folder, server.url) as desk:
        assert desk.send("POST", REGISTER, {"sfdxAuthUrl": url}).status == 201
        desk.stop()
        crasher = Crasher(desk)
        crasher.crash("spooled", "ci@acme.example")
        crasher.close()
        world.reset_calls()
        desk.start(1, until="/livez", **WRONG)
        yield desk


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{ACCESS_TOKEN}{NAMED}", None),
        (f"{TEST_CONNECTION}{NAMED}", None),
        (REGISTER, {"sfdxAuthUrl": "force://PlatformCLI::5Aep861@other.my.salesforce.com"}),
    ],
    ids=["access token", "test", "register"],
)
def test_routes_that_need_a_credential_return_sealed(sealed, world, path, body):
    reply = sealed.send("POST", path, body)

    assert (reply.status, reply.json()["code"]) == (503, "SEALED")
    assert "FERNET_KEYS" in reply.json()["action"]
    assert world.calls == []


def test_lists_are_still_returned(sealed):
    assert [org["username"] for org in sealed.send("GET", ORGS).json()] == ["ci@acme.example"]


def test_a_start_with_wrong_keys_loses_no_spooled_token(sealed, world, url):
    spooled = [path.suffix for path in (sealed.folder / "spool").iterdir() if path.stem.count("-")]
    assert spooled == [".spool"]
    sealed.stop()

    sealed.start()

    assert sealed.send("POST", f"{ACCESS_TOKEN}{NAMED}").status == 200
    assert world.is_alive(url)

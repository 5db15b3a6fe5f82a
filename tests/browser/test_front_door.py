"""A one-time link in a real browser opens the right org as the right user, once."""

import pytest

from orgs.salesforce.emulator import Emulator
from tests.browser.watching import Watcher
from tests.sandboxes.factories import FRONTDOOR, PROD, SANDBOX
from tests.support.live_server import live_desk


@pytest.fixture(scope="module")
def world():
    return Emulator()


@pytest.fixture(scope="module")
def desk(tmp_path_factory, world):
    """A desk of the demo's kind: links lead to the emulator's own address."""
    production = world.add_org("acme.my.salesforce.com", username=PROD, name="Acme", is_dev_hub=True)
    world.add_sandbox(production, "dev1")
    with world.serve() as server:
        world.gateway = server.url.replace("127.0.0.1", "localhost")
        with live_desk(tmp_path_factory.mktemp("desk"), world.gateway) as desk:
            registered = desk.send("POST", "/sfp/api/auth/salesforce/register", {"sfdxAuthUrl": production.auth_url()})
            assert registered.status == 201, registered.text
            yield desk


@pytest.fixture
def page(page, world):
    """A page that is watched: an org is at the gateway, and goes on to a second origin of this machine."""
    watcher = Watcher(world.gateway, "http://127.0.0.1:")
    watcher.expect(403)
    watcher.watch(page.context)
    yield page
    assert watcher.complaints == []


def test_a_link_opens_the_org_as_its_user_once(desk, world, page):
    response = desk.send("GET", f"{FRONTDOOR}?target=dev1&redirect=false&path=/lightning/setup/home")
    link = response.json()["frontDoorUrl"]
    visited = []
    page.on("framenavigated", lambda frame: visited.append(frame.url))

    page.goto(link)
    landed = page.text_content("table")
    page.goto(link)

    assert link.startswith(f"{world.gateway}/org/acme--dev1.sandbox.my.salesforce.com/secur/frontdoor.jsp?otp=")
    assert "acme--dev1.sandbox.my.salesforce.com" in landed
    assert f"{PROD}.dev1" in landed
    assert "/lightning/setup/home" in landed
    assert visited[0].startswith("http://127.0.0.1:")  # a second origin, as an org's Lightning host is
    assert "has been used" in page.text_content("body")
    assert not any("sid=" in url for url in [link, *visited])
    assert not [word for word in ("otp=", "sid=") if word in desk.logs()]


def test_the_link_of_a_sandbox_on_demand_opens_it_too(desk, page):
    response = desk.send("POST", SANDBOX, {"sandboxName": "dev1"})

    page.goto(response.json()["frontDoorUrl"])

    assert f"{PROD}.dev1" in page.text_content("table")

"""Who may do what: the table of roles in docs/api.md, every cell of every route."""

import pytest

from tests.role_table import (
    DEAD_KEY,
    NO_LINK,
    NO_TOKEN,
    OPEN,
    RELEASE_OFF,
    SERVICESTACK,
    TABLE,
    cells,
    expect,
    label,
    role_world,
    send,
)
from tests.support.routes import operations

pytestmark = pytest.mark.django_db


@pytest.fixture
def the_org(owner, salesforce):
    return role_world(owner, salesforce)


@pytest.fixture
def callers(member, application, owner):
    return {"member": member, "application": application, "owner": owner}


roles = pytest.mark.parametrize("role", ["member", "application", "owner"])


@pytest.mark.database
@roles
def test_a_role_gets_what_its_cells_say(role, callers, salesforce, the_org, each):
    for request, cell in cells(TABLE, role):
        with each(label(request)):
            expect(send(callers[role], salesforce, request), cell)


@roles
def test_a_role_where_no_auth_url_is_released(role, callers, salesforce, the_org, settings, each):
    settings.ALLOW_AUTH_URL_RELEASE = False

    for request, cell in cells(RELEASE_OFF, role):
        with each(label(request)):
            expect(send(callers[role], salesforce, request), cell)


@pytest.mark.database
@roles
def test_a_role_whose_org_has_a_dead_key(role, callers, salesforce, the_org, each):
    the_org.revoke_all()

    for request, cell in cells(DEAD_KEY, role):
        with each(label(request)):
            expect(send(callers[role], salesforce, request), cell)


@roles
def test_an_open_route_serves_every_role_alike(role, callers, salesforce, each):
    for *request, cell in OPEN:
        with each(label(request)):
            expect(send(callers[role], salesforce, request), cell)


@pytest.mark.database
@pytest.mark.parametrize("role", ["anonymous", "member", "application", "owner"])
def test_the_servicestack_service_knows_who_asks(role, callers, anonymous, each):
    everybody = {"anonymous": anonymous, **callers}
    for method, path, body, *statuses in SERVICESTACK:
        with each(f"{method} {path}"):
            address = path.replace("<operation>", "Authenticate").replace("<provider>", "credentials")

            answer = everybody[role].send(method, address, body, query={"op": "Authenticate"})

            assert answer.status_code == dict(zip(everybody, statuses, strict=True))[role], answer


@pytest.mark.database
def test_the_table_names_every_route():
    places = {NO_TOKEN: "<str:token>", NO_LINK: "<uuid:user_id>/<str:token>"}
    named = set()
    for method, path in [*(row[:2] for row in OPEN), *(row[:2] for row in TABLE)]:
        for example, place in places.items():
            path = path.replace(example, place)
        named.add((method, path))
    for method, path, *_ in SERVICESTACK:
        named |= {(method, path), (method, path.replace("/json/reply", "/<format>/reply"))}
        named |= {(method, path.replace("/json/metadata", "/<format>/metadata"))}

    assert set(operations()) <= named

"""Who may do what: the table of roles in docs/api.md, every cell of every route."""

import pytest

from tests.role_table import (
    NO_LINK,
    NO_TOKEN,
    OPEN,
    RELEASE_OFF,
    REVOKED,
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
def test_each_role_gets_the_response_of_the_table(role, callers, salesforce, the_org, each):
    for request, cell in cells(TABLE, role):
        with each(label(request)):
            expect(send(callers[role], salesforce, request), cell)


@roles
def test_no_role_gets_an_auth_url_if_the_release_is_disabled(role, callers, salesforce, the_org, settings, each):
    settings.ALLOW_AUTH_URL_RELEASE = False

    for request, cell in cells(RELEASE_OFF, role):
        with each(label(request)):
            expect(send(callers[role], salesforce, request), cell)


@pytest.mark.database
@roles
def test_each_role_gets_an_error_for_a_revoked_credential(role, callers, salesforce, the_org, each):
    the_org.revoke_all()

    for request, cell in cells(REVOKED, role):
        with each(label(request)):
            expect(send(callers[role], salesforce, request), cell)


@roles
def test_a_public_route_serves_every_role_alike(role, callers, salesforce, each):
    for *request, cell in OPEN:
        with each(label(request)):
            expect(send(callers[role], salesforce, request), cell)


@pytest.mark.database
@pytest.mark.parametrize("role", ["anonymous", "member", "application", "owner"])
def test_the_servicestack_service_authenticates_each_role(role, callers, anonymous, each):
    all_callers = {"anonymous": anonymous, **callers}
    for method, path, body, *statuses in SERVICESTACK:
        with each(f"{method} {path}"):
            address = path.replace("<operation>", "Authenticate").replace("<provider>", "credentials")

            response = all_callers[role].send(method, address, body, query={"op": "Authenticate"})

            assert response.status_code == dict(zip(all_callers, statuses, strict=True))[role], response


@pytest.mark.database
def test_the_table_lists_every_route():
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

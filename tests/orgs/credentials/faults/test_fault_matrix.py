"""The fault matrix of the token endpoint: each fault on each route that refreshes.

The rows are in faults.py, the routes in routes.py. A cell asserts the status, the code, Retry-After, the
credential's state and reason, the calls, and that no secret is shown. What follows a fault is in
test_fault_sequels.py.
"""

import threading
import time

import pytest

from authn.models import AuditEvent
from orgs.credentials.models import Credential
from orgs.salesforce.emulator import Fault
from tests.orgs.credentials.faults.fault_table import (
    AT_TOKEN,
    BUSY,
    LOST,
    NEVER_SENT,
    PAGES,
    PERMANENT,
    TOKEN_PATH,
    UNREADABLE,
    FaultCase,
    expected_health,
)
from tests.orgs.credentials.faults.routes import (
    AUTH_URL,
    HUB,
    KNOWN_ORG,
    NEW,
    NEW_ORG,
    OF_KNOWN_ORG,
    TOKEN,
    calls,
    cells,
    health_of,
    shows_no_secret,
)
from tests.orgs.factories import ORG

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def pauses(monkeypatch) -> list[float]:
    """Skip the pauses of the test's own thread, and record how long each would have been."""
    recorded: list[float] = []
    caller, sleep = threading.current_thread(), time.sleep

    def pause(seconds: float) -> None:
        if threading.current_thread() is caller:
            recorded.append(seconds)
        else:
            sleep(seconds)  # Servers that other tests share poll in threads of their own.

    monkeypatch.setattr(time, "sleep", pause)
    return recorded


# --- At the token endpoint ---------------------------------------------------------------------------


def test_each_fault_of_a_refresh_on_each_route(owner, member, salesforce, urls, each):
    for case, route in cells(AT_TOKEN, OF_KNOWN_ORG):
        with each(f"{case.id} {route.id}"):
            salesforce.inject(case.fault, path=TOKEN_PATH)

            response = route.send(owner, urls)

            assert route.read(response) == route.expected(case), response
            assert health_of(member) == expected_health(case)
            assert calls(salesforce) == (case.calls, 0)
            assert shows_no_secret(response, salesforce)


def test_each_fault_of_a_refresh_that_registers_a_new_org(owner, member, salesforce, urls, each):
    for case in AT_TOKEN:
        with each(case.id):
            salesforce.inject(case.fault, path=TOKEN_PATH)

            response = NEW_ORG.send(owner, urls)

            assert NEW_ORG.read(response) == NEW_ORG.expected(case), response
            assert member.get(ORG, **NEW).status_code == 404
            assert calls(salesforce) == (case.calls, 0)
            assert shows_no_secret(response, salesforce)
            kept = Credential.objects.orphaned().values_list("health", flat=True)
            # Unknown yet whether this token rotates: the unreadable response may hold its successor.
            assert list(kept) == (["uncertain"] if case.state == "uncertain" or case in UNREADABLE else [])


def test_an_auth_url_is_released_without_a_request_to_salesforce(owner, member, salesforce, urls, each):
    for case in (PERMANENT[0], PAGES[0], LOST[2], NEVER_SENT[0]):
        with each(case.id):
            salesforce.inject(case.fault, times=None)

            response = AUTH_URL.send(owner, urls)

            assert response.status_code == 200
            assert response.json()["sfdxAuthUrl"] == urls["hub"]
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (0, 0)


def test_a_response_for_another_org_is_refused(owner, member, salesforce, urls, each):
    for route in OF_KNOWN_ORG:
        with each(route.id):
            other = next(org for org in salesforce.orgs if org.username == "new@acme.example")
            identity = f"https://login.salesforce.com/id/{other.org_id}/{other.users[0].user_id}"
            case = FaultCase("another-org", Fault.fields(id=identity), 502, "ORG_ID_MISMATCH")
            salesforce.inject(case.fault, path=TOKEN_PATH)

            response = route.send(owner, urls)

            assert route.read(response) == route.expected(case), response
            assert health_of(member) == ("failing", "ORG_ID_MISMATCH")
            assert calls(salesforce) == (1, 0)
            assert shows_no_secret(response, salesforce)


def test_a_response_for_another_org_registers_nothing(owner, member, salesforce, urls, hub):
    identity = f"https://login.salesforce.com/id/{hub.org_id}/{hub.users[0].user_id}"
    salesforce.inject(Fault.fields(id=identity), path=TOKEN_PATH)

    response = NEW_ORG.send(owner, urls)

    assert NEW_ORG.read(response) == (502, "UPSTREAM_UNREADABLE", None), response
    assert member.get(ORG, **NEW).status_code == 404
    assert calls(salesforce) == (1, 1)
    assert shows_no_secret(response, salesforce)


# --- Another client is refreshing the same token ------------------------------------------------------


IN_PROGRESS = FaultCase("in-progress", BUSY, 503, "REFRESH_IN_PROGRESS", "1", None)


def test_a_refresh_that_salesforce_is_processing_is_sent_twice_if_it_does_not_rotate(
    owner, member, salesforce, urls, pauses, each
):
    for route in OF_KNOWN_ORG:
        with each(route.id):
            pauses.clear()
            salesforce.inject(BUSY, path=TOKEN_PATH, times=2)

            response = route.send(owner, urls)

            assert pauses == [0.5]

            assert route.read(response) == route.expected(IN_PROGRESS), response
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (2, 0)
            assert shows_no_secret(response, salesforce)


def test_a_second_request_that_succeeds_hides_the_concurrent_refresh(owner, member, salesforce, urls, pauses, each):
    for route in OF_KNOWN_ORG:
        with each(route.id):
            salesforce.inject(BUSY, path=TOKEN_PATH)

            response = route.send(owner, urls)

            assert response.status_code == (201 if route is KNOWN_ORG else 200)
            assert health_of(member) == ("healthy", None)
            assert salesforce.refreshes() == 2


@pytest.mark.parametrize("rotates", [True, None], ids=["rotates", "unknown"])
def test_a_refresh_that_salesforce_is_processing_is_sent_once_if_it_may_rotate(
    owner, member, salesforce, urls, rotates, each
):
    for route in OF_KNOWN_ORG:
        with each(route.id):
            Credential.objects.update(rotates=rotates)
            salesforce.inject(BUSY, path=TOKEN_PATH)

            response = route.send(owner, urls)

            assert route.read(response) == route.expected(IN_PROGRESS), response
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (1, 0)
            assert shows_no_secret(response, salesforce)


def test_a_refresh_of_a_new_org_that_salesforce_is_processing_is_sent_once(owner, salesforce, urls):
    salesforce.inject(BUSY, path=TOKEN_PATH)

    response = NEW_ORG.send(owner, urls)

    assert NEW_ORG.read(response) == NEW_ORG.expected(IN_PROGRESS), response
    assert calls(salesforce) == (1, 0)


# --- Changes of a healthy org ---------------------------------------------------------------------


def test_the_new_host_of_an_org_that_moved_is_stored(owner, member, salesforce, urls, hub, each):
    for route in OF_KNOWN_ORG:
        with each(route.id):
            hub.move_to("hub2.my.salesforce.com")

            response = route.send(owner, urls)

            assert response.status_code == (201 if route is KNOWN_ORG else 200)
            assert member.get(ORG, **HUB).json()["instanceUrl"] == "https://hub2.my.salesforce.com"
            assert health_of(member) == ("healthy", None)
            assert (
                AuditEvent.objects.filter(action="org.instance_changed", target_label="hub@acme.example").count() == 1
            )
            assert salesforce.refreshes() == 1


def test_the_first_rotation_of_a_token_is_stored(owner, member, salesforce, urls, each):
    for route in OF_KNOWN_ORG:
        with each(route.id):
            salesforce.apps["AcmeCI"].rotates = True

            response = route.send(owner, urls)

            assert response.status_code == (201 if route is KNOWN_ORG else 200)
            assert member.get(ORG, **HUB).json()["health"]["rotates"] is True
            assert TOKEN.send(owner, urls).status_code == 200
            assert AUTH_URL.read(AUTH_URL.send(owner, urls)) == (409, "CREDENTIAL_ROTATES", None)
            assert salesforce.is_alive(urls["hub"])

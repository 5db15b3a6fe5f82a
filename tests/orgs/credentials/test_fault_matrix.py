"""The fault matrix: each case of Salesforce on each route that can meet it (design section 8).

The rows are in faults.py, the routes in routes.py. A cell asserts the status, the
code, Retry-After, the credential's state and reason, the calls, and that no secret is shown.
What comes after a case is in test_fault_sequels.py.
"""

import threading
import time

import pytest

from authn.models import AuditEvent
from orgs.credentials.models import Credential
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Fault
from tests.orgs.credentials.faults import (
    AT_REST,
    AT_REVOKE,
    AT_TOKEN,
    BUSY,
    DEAD_SESSION,
    DEAD_SESSION_PAGE,
    DEAD_SESSION_TEXT,
    DEFINITE,
    LOST,
    NEVER_SENT,
    PAGES,
    REST_PATH,
    REVOKE_PATH,
    SINGLEACCESS_PATH,
    TOKEN_PATH,
    UNREADABLE,
    USERINFO_PATH,
    FaultCase,
    expected_health,
    ids,
)
from tests.orgs.credentials.routes import (
    AUTH_URL,
    FRONT_DOOR,
    HUB,
    KNOWN_ORG,
    NEW,
    NEW_ORG,
    OF_KNOWN_ORG,
    QUESTIONING,
    REVOKE,
    TEST,
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


def test_a_refresh_of_a_known_org(owner, member, salesforce, urls, each):
    for case, route in cells(AT_TOKEN, OF_KNOWN_ORG):
        with each(f"{case.id} {route.id}"):
            salesforce.inject(case.fault, path=TOKEN_PATH)

            answer = route.ask(owner, urls)

            assert route.read(answer) == route.told(case), answer
            assert health_of(member) == expected_health(case)
            assert calls(salesforce) == (case.calls, 0)
            assert shows_no_secret(answer, salesforce)


def test_a_refresh_of_a_new_org(owner, member, salesforce, urls, each):
    for case in AT_TOKEN:
        with each(case.id):
            salesforce.inject(case.fault, path=TOKEN_PATH)

            answer = NEW_ORG.ask(owner, urls)

            assert NEW_ORG.read(answer) == NEW_ORG.told(case), answer
            assert member.get(ORG, **NEW).status_code == 404
            assert calls(salesforce) == (case.calls, 0)
            assert shows_no_secret(answer, salesforce)
            kept = Credential.objects.orphaned().values_list("health", flat=True)
            # Nobody knows yet whether this token rotates: it may have been in what cannot be read.
            assert list(kept) == (["uncertain"] if case.state == "uncertain" or case in UNREADABLE else [])


def test_an_auth_url_is_handed_out_without_asking_salesforce(owner, member, salesforce, urls, each):
    for case in (DEFINITE[0], PAGES[0], LOST[2], NEVER_SENT[0]):
        with each(case.id):
            salesforce.inject(case.fault, times=None)

            answer = AUTH_URL.ask(owner, urls)

            assert answer.status_code == 200
            assert answer.json()["sfdxAuthUrl"] == urls["hub"]
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (0, 0)


def test_an_answer_for_another_org(owner, member, salesforce, urls, each):
    for route in OF_KNOWN_ORG:
        with each(route.id):
            other = next(org for org in salesforce.orgs if org.username == "new@acme.example")
            identity = f"https://login.salesforce.com/id/{other.org_id}/{other.users[0].user_id}"
            case = FaultCase("another-org", Fault.fields(id=identity), 502, "ORG_ID_MISMATCH")
            salesforce.inject(case.fault, path=TOKEN_PATH)

            answer = route.ask(owner, urls)

            assert route.read(answer) == route.told(case), answer
            assert health_of(member) == ("failing", "ORG_ID_MISMATCH")
            assert calls(salesforce) == (1, 0)
            assert shows_no_secret(answer, salesforce)


def test_an_answer_for_another_org_registers_nothing(owner, member, salesforce, urls, hub):
    identity = f"https://login.salesforce.com/id/{hub.org_id}/{hub.users[0].user_id}"
    salesforce.inject(Fault.fields(id=identity), path=TOKEN_PATH)

    answer = NEW_ORG.ask(owner, urls)

    assert NEW_ORG.read(answer) == (502, "UPSTREAM_UNREADABLE", None), answer
    assert member.get(ORG, **NEW).status_code == 404
    assert calls(salesforce) == (1, 1)
    assert shows_no_secret(answer, salesforce)


# --- Somebody else is refreshing the same token ------------------------------------------------------


IN_PROGRESS = FaultCase("in-progress", BUSY, 503, "REFRESH_IN_PROGRESS", "1", None)


def test_a_concurrent_refresh_of_a_token_that_does_not_rotate_is_tried_twice(
    owner, member, salesforce, urls, pauses, each
):
    for route in OF_KNOWN_ORG:
        with each(route.id):
            pauses.clear()
            salesforce.inject(BUSY, path=TOKEN_PATH, times=2)

            answer = route.ask(owner, urls)

            assert pauses == [0.5]

            assert route.read(answer) == route.told(IN_PROGRESS), answer
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (2, 0)
            assert shows_no_secret(answer, salesforce)


def test_a_concurrent_refresh_that_ends_in_time_is_not_seen(owner, member, salesforce, urls, pauses, each):
    for route in OF_KNOWN_ORG:
        with each(route.id):
            salesforce.inject(BUSY, path=TOKEN_PATH)

            answer = route.ask(owner, urls)

            assert answer.status_code == (201 if route is KNOWN_ORG else 200)
            assert health_of(member) == ("healthy", None)
            assert salesforce.refreshes() == 2


@pytest.mark.parametrize("rotates", [True, None], ids=["rotates", "unknown"])
def test_a_concurrent_refresh_of_a_token_that_may_rotate_is_tried_once(owner, member, salesforce, urls, rotates, each):
    for route in OF_KNOWN_ORG:
        with each(route.id):
            Credential.objects.update(rotates=rotates)
            salesforce.inject(BUSY, path=TOKEN_PATH)

            answer = route.ask(owner, urls)

            assert route.read(answer) == route.told(IN_PROGRESS), answer
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (1, 0)
            assert shows_no_secret(answer, salesforce)


def test_a_concurrent_refresh_of_a_new_org_is_tried_once(owner, salesforce, urls):
    salesforce.inject(BUSY, path=TOKEN_PATH)

    answer = NEW_ORG.ask(owner, urls)

    assert NEW_ORG.read(answer) == NEW_ORG.told(IN_PROGRESS), answer
    assert calls(salesforce) == (1, 0)


# --- Changes that are no case ---------------------------------------------------------------------


def test_an_org_that_moved_is_followed(owner, member, salesforce, urls, hub, each):
    for route in OF_KNOWN_ORG:
        with each(route.id):
            hub.move_to("hub2.my.salesforce.com")

            answer = route.ask(owner, urls)

            assert answer.status_code == (201 if route is KNOWN_ORG else 200)
            assert member.get(ORG, **HUB).json()["instanceUrl"] == "https://hub2.my.salesforce.com"
            assert health_of(member) == ("healthy", None)
            assert (
                AuditEvent.objects.filter(action="org.instance_changed", org_username="hub@acme.example").count() == 1
            )
            assert salesforce.refreshes() == 1


def test_an_app_that_starts_to_rotate_is_noticed(owner, member, salesforce, urls, each):
    for route in OF_KNOWN_ORG:
        with each(route.id):
            salesforce.apps["AcmeCI"].rotates = True

            answer = route.ask(owner, urls)

            assert answer.status_code == (201 if route is KNOWN_ORG else 200)
            assert member.get(ORG, **HUB).json()["health"]["rotates"] is True
            assert TOKEN.ask(owner, urls).status_code == 200
            assert AUTH_URL.read(AUTH_URL.ask(owner, urls)) == (409, "CREDENTIAL_ROTATES", None)
            assert salesforce.is_alive(urls["hub"])


# --- At the REST API ---------------------------------------------------------------------------------


@pytest.mark.parametrize("case", AT_REST, ids=ids)  # The client remembers the API version of an org that it asked.
def test_a_question(owner, member, salesforce, urls, case: FaultCase, each):
    for _, route in (cell for cell in cells(AT_REST, QUESTIONING) if cell[0] is case):
        with each(route.id):
            salesforce.inject(case.fault, path=REST_PATH)

            answer = route.ask(owner, urls)

            assert route.read(answer) == route.told(case), answer
            assert health_of(member) == (expected_health(case) if route is TEST else ("healthy", None))
            assert calls(salesforce) == (1, route.rest_calls - 1 + case.calls)
            assert shows_no_secret(answer, salesforce)
            assert SalesforceOrg.objects.count() == Credential.objects.count() == 1


def test_a_session_that_ended_is_replaced_once(owner, member, salesforce, urls, each):
    for route in QUESTIONING:
        with each(route.id):
            salesforce.inject(DEAD_SESSION, path=REST_PATH)

            answer = route.ask(owner, urls)

            assert answer.status_code == (200 if route is TEST else 201)
            assert answer.json().get("isValid", True) is True
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (2, route.rest_calls + (1 if route is TEST else 3))


def test_a_session_that_is_never_accepted(owner, member, salesforce, urls, each):
    for route in QUESTIONING:
        with each(route.id):
            case = FaultCase("never-accepted", DEAD_SESSION, 502, "SESSION_REFUSED")
            salesforce.inject(case.fault, path=REST_PATH, times=None)

            answer = route.ask(owner, urls)

            assert route.read(answer) == route.told(case), answer
            assert health_of(member) == (expected_health(case) if route is TEST else ("healthy", None))
            assert calls(salesforce) == (2, route.rest_calls + (1 if route is TEST else 2))
            assert shows_no_secret(answer, salesforce)


def test_a_session_that_is_refused_by_a_page_is_replaced_once(owner, member, salesforce, urls):
    salesforce.inject(DEAD_SESSION_PAGE, path=SINGLEACCESS_PATH)

    answer = FRONT_DOOR.ask(owner, urls)

    assert answer.status_code == 200, answer
    assert calls(salesforce) == (2, 2)
    assert health_of(member) == ("healthy", None)


@pytest.mark.parametrize("route", [NEW_ORG, KNOWN_ORG], ids=ids)
@pytest.mark.parametrize(("times", "status"), [(1, 201), (None, 502)], ids=["once", "always"])
@pytest.mark.parametrize("fault", [DEAD_SESSION_TEXT, DEAD_SESSION_PAGE], ids=["text", "page"])
def test_a_session_that_the_identity_service_does_not_accept(owner, salesforce, urls, route, times, status, fault):
    salesforce.inject(fault, path=USERINFO_PATH, times=times)

    answer = route.ask(owner, urls)

    assert answer.status_code == status, answer
    assert salesforce.refreshes() == 2


# --- At the revoke endpoint --------------------------------------------------------------------------


def test_a_revocation(owner, member, salesforce, urls, each):
    for case in AT_REVOKE:
        with each(case.id):
            salesforce.inject(case.fault, path=REVOKE_PATH)

            answer = REVOKE.ask(owner, urls)

            assert answer.status_code != 200, "the token lives on at Salesforce"
            assert REVOKE.read(answer) == REVOKE.told(case), answer
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (0, case.calls)
            assert shows_no_secret(answer, salesforce)
            assert TOKEN.ask(owner, urls).status_code == 200, "nothing is deleted, and the lease was given back"


def test_a_token_that_is_dead_already_counts_as_revoked(owner, salesforce, urls):
    salesforce.inject(Fault.oauth("invalid_token", "token is not valid"), path=REVOKE_PATH)

    assert REVOKE.ask(owner, urls).status_code == 200

    assert SalesforceOrg.objects.count() == Credential.objects.count() == 0
    assert calls(salesforce) == (0, 1)


@pytest.mark.parametrize(("fault", "status"), [(Fault.reset(), 503), (Fault.hang(60), 504)], ids=["reset", "hang"])
def test_a_revocation_whose_answer_was_lost_can_be_asked_for_again(owner, salesforce, urls, fault, status):
    salesforce.inject(fault, path=REVOKE_PATH)

    first, used, second = REVOKE.ask(owner, urls), TOKEN.ask(owner, urls), REVOKE.ask(owner, urls)

    assert first.status_code == status
    assert TOKEN.read(used) == (409, "CREDENTIAL_EXPIRED", None)
    assert second.status_code == 200
    assert SalesforceOrg.objects.count() == 0

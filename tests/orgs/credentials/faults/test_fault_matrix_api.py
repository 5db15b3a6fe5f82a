"""The fault matrix of API calls and revocations: each fault on each route that can meet it.

The rows are in faults.py, the routes in routes.py.
"""

import pytest

from orgs.credentials.models import Credential
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Fault
from tests.orgs.credentials.faults.fault_table import (
    AT_REST,
    AT_REVOKE,
    DEAD_SESSION,
    DEAD_SESSION_PAGE,
    DEAD_SESSION_TEXT,
    REST_PATH,
    REVOKE_PATH,
    SINGLEACCESS_PATH,
    USERINFO_PATH,
    FaultCase,
    expected_health,
    ids,
)
from tests.orgs.credentials.faults.routes import (
    CALLING_API,
    FRONTDOOR_LINK,
    KNOWN_ORG,
    NEW_ORG,
    REVOKE,
    TEST,
    TOKEN,
    calls,
    cells,
    health_of,
    shows_no_secret,
)

pytestmark = [pytest.mark.database, pytest.mark.django_db]


# --- At the REST API ---------------------------------------------------------------------------------


@pytest.mark.parametrize("case", AT_REST, ids=ids)  # The client caches the API version of each org.
def test_each_fault_of_an_api_call_on_each_route(owner, member, salesforce, urls, case: FaultCase, each):
    for _, route in (cell for cell in cells(AT_REST, CALLING_API) if cell[0] is case):
        with each(route.id):
            salesforce.inject(case.fault, path=REST_PATH)

            response = route.send(owner, urls)

            assert route.read(response) == route.expected(case), response
            assert health_of(member) == (expected_health(case) if route is TEST else ("healthy", None))
            assert calls(salesforce) == (1, route.rest_calls - 1 + case.calls)
            assert shows_no_secret(response, salesforce)
            assert SalesforceOrg.objects.count() == Credential.objects.count() == 1


def test_a_session_that_has_ended_is_replaced_once(owner, member, salesforce, urls, each):
    for route in CALLING_API:
        with each(route.id):
            salesforce.inject(DEAD_SESSION, path=REST_PATH)

            response = route.send(owner, urls)

            assert response.status_code == (200 if route is TEST else 201)
            assert response.json().get("isValid", True) is True
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (2, route.rest_calls + (1 if route is TEST else 3))


def test_a_session_that_is_rejected_twice_is_reported(owner, member, salesforce, urls, each):
    for route in CALLING_API:
        with each(route.id):
            case = FaultCase("never-accepted", DEAD_SESSION, 502, "SESSION_REFUSED")
            salesforce.inject(case.fault, path=REST_PATH, times=None)

            response = route.send(owner, urls)

            assert route.read(response) == route.expected(case), response
            assert health_of(member) == (expected_health(case) if route is TEST else ("healthy", None))
            assert calls(salesforce) == (2, route.rest_calls + (1 if route is TEST else 2))
            assert shows_no_secret(response, salesforce)


def test_a_session_that_an_html_page_rejects_is_replaced_once(owner, member, salesforce, urls):
    salesforce.inject(DEAD_SESSION_PAGE, path=SINGLEACCESS_PATH)

    response = FRONTDOOR_LINK.send(owner, urls)

    assert response.status_code == 200, response
    assert calls(salesforce) == (2, 2)
    assert health_of(member) == ("healthy", None)


@pytest.mark.parametrize("route", [NEW_ORG, KNOWN_ORG], ids=ids)
@pytest.mark.parametrize(("times", "status"), [(1, 201), (None, 502)], ids=["once", "always"])
@pytest.mark.parametrize("fault", [DEAD_SESSION_TEXT, DEAD_SESSION_PAGE], ids=["text", "page"])
def test_a_session_that_the_identity_service_rejects_is_replaced(owner, salesforce, urls, route, times, status, fault):
    salesforce.inject(fault, path=USERINFO_PATH, times=times)

    response = route.send(owner, urls)

    assert response.status_code == status, response
    assert salesforce.refreshes() == 2


# --- At the revoke endpoint --------------------------------------------------------------------------


def test_each_fault_of_a_revocation_changes_nothing(owner, member, salesforce, urls, each):
    for case in AT_REVOKE:
        with each(case.id):
            salesforce.inject(case.fault, path=REVOKE_PATH)

            response = REVOKE.send(owner, urls)

            assert response.status_code != 200, "the token is still valid at Salesforce"
            assert REVOKE.read(response) == REVOKE.expected(case), response
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (0, case.calls)
            assert shows_no_secret(response, salesforce)
            assert TOKEN.send(owner, urls).status_code == 200, "nothing is deleted, and the lock was released"


def test_a_token_that_is_not_valid_counts_as_revoked(owner, salesforce, urls):
    salesforce.inject(Fault.oauth("invalid_token", "token is not valid"), path=REVOKE_PATH)

    assert REVOKE.send(owner, urls).status_code == 200

    assert SalesforceOrg.objects.count() == Credential.objects.count() == 0
    assert calls(salesforce) == (0, 1)


@pytest.mark.parametrize(("fault", "status"), [(Fault.reset(), 503), (Fault.hang(60), 504)], ids=["reset", "hang"])
def test_a_revocation_whose_response_was_lost_can_be_repeated(owner, salesforce, urls, fault, status):
    salesforce.inject(fault, path=REVOKE_PATH)

    first, used, second = REVOKE.send(owner, urls), TOKEN.send(owner, urls), REVOKE.send(owner, urls)

    assert first.status_code == status
    assert TOKEN.read(used) == (409, "CREDENTIAL_EXPIRED", None)
    assert second.status_code == 200
    assert SalesforceOrg.objects.count() == 0

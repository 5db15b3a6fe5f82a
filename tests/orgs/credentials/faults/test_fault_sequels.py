"""What follows a fault: lost responses and refusals on record.

The rows are in faults.py, the routes in routes.py.
"""

from datetime import timedelta

import pytest
from django.db.models import F

from authn.models import AuditEvent
from orgs.credentials.models import Credential
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Fault
from tests.orgs.credentials.faults.fault_table import (
    LOST,
    LOST_AND_PROCESSED,
    PERMANENT,
    TOKEN_PATH,
    UNREADABLE,
    WRONG_FIELDS,
    FaultCase,
)
from tests.orgs.credentials.faults.routes import (
    AUTH_URL,
    FORCING,
    FRONTDOOR_LINK,
    ISSUING,
    KNOWN_ORG,
    NEW_ORG,
    OF_KNOWN_ORG,
    TEST,
    TOKEN,
    calls,
    cells,
    health_of,
    shows_no_secret,
)

pytestmark = [pytest.mark.database, pytest.mark.django_db]


# --- A lost response -----------------------------------------------------------------------------------


def test_the_next_request_reports_a_lost_rotating_token_on_each_route(owner, member, salesforce, rotating_urls, each):
    others = [(LOST[2], route) for route in OF_KNOWN_ORG if route != TOKEN]
    for lost, route in [*((lost, TOKEN) for lost in LOST_AND_PROCESSED), *others]:
        with each(f"{lost.id} {route.id}"):
            salesforce.inject(lost.fault, path=TOKEN_PATH)
            TOKEN.send(owner, rotating_urls)
            assert (health_of(member)[0], calls(salesforce)) == ("uncertain", (1, 0)), "nothing is sent twice"

            response = route.send(owner, rotating_urls)

            case = FaultCase("lost", lost.fault, 409, "LOST_ANSWER")
            assert route.read(response) == route.expected(case), response
            assert health_of(member) == ("expired", "LOST_ANSWER")
            assert calls(salesforce) == (2, 0)
            assert AuditEvent.objects.filter(code="LOST_ANSWER").exclude(attempt=None).count() == 1
            assert shows_no_secret(response, salesforce)


def test_another_refusal_keeps_the_reason_that_the_response_was_lost(owner, member, salesforce, rotating_urls, each):
    for route in FORCING:
        with each(route.id):
            salesforce.inject(Fault.reset(), path=TOKEN_PATH)
            TOKEN.send(owner, rotating_urls)
            TOKEN.send(owner, rotating_urls)
            salesforce.reset_calls()

            response = route.send(owner, rotating_urls)

            case = FaultCase("lost", Fault.reset(), 409, "LOST_ANSWER")
            assert route.read(response) == route.expected(case), response
            assert health_of(member) == ("expired", "LOST_ANSWER")
            assert calls(salesforce) == (1, 0), "Salesforce was asked again"
            assert TOKEN.read(TOKEN.send(owner, rotating_urls)) == (409, "LOST_ANSWER", None)


@pytest.mark.parametrize("reason", ["REVOKED", "SANDBOX_REFRESHED"])
def test_a_refusal_keeps_the_reason_why_the_token_had_died(owner, member, salesforce, urls, hub, reason):
    hub.revoke_all()
    outcome = "CREDENTIAL_EXPIRED" if reason == "REVOKED" else reason
    Credential.objects.update(health="expired", reason=reason, outcome=outcome)

    response = TEST.send(owner, urls)

    assert response.json()["isValid"] is False
    assert health_of(member) == ("expired", reason)


def test_a_refusal_replaces_the_reason_that_has_passed(owner, member, salesforce, urls, hub):
    hub.users[0].active = False
    TOKEN.send(owner, urls)
    between = health_of(member)
    hub.users[0].active = True
    hub.revoke_all()

    TEST.send(owner, urls)

    assert between == ("expired", "USER_INACTIVE")
    assert health_of(member) == ("expired", "CREDENTIAL_EXPIRED")


def test_an_unreadable_response_may_have_held_the_next_rotating_token(owner, member, salesforce, rotating_urls, each):
    for garbled in UNREADABLE:
        with each(garbled.id):
            salesforce.inject(garbled.fault, path=TOKEN_PATH)
            first = TOKEN.send(owner, rotating_urls)
            between = health_of(member)

            second = TOKEN.send(owner, rotating_urls)

            assert TOKEN.read(first)[:2] == (502, "UPSTREAM_UNREADABLE")
            assert between == ("uncertain", "UPSTREAM_UNREADABLE")
            assert TOKEN.read(second)[:2] == (409, "LOST_ANSWER")


def test_a_token_that_does_not_rotate_survives_a_lost_response(owner, member, salesforce, urls, each):
    for lost in LOST_AND_PROCESSED:
        with each(lost.id):
            salesforce.inject(lost.fault, path=TOKEN_PATH)
            TOKEN.send(owner, urls)

            response = TOKEN.send(owner, urls)

            assert response.status_code == 200, response
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (2, 0)


def test_a_rotating_token_survives_if_salesforce_did_not_act(owner, member, salesforce, rotating_urls, each):
    for lost in LOST[:2]:
        with each(lost.id):
            salesforce.inject(lost.fault, path=TOKEN_PATH)
            TOKEN.send(owner, rotating_urls)

            response = TOKEN.send(owner, rotating_urls)

            assert response.status_code == 200, response
            assert health_of(member) == ("healthy", None)


def test_a_repeated_registration_reports_that_its_first_response_was_lost(owner, salesforce, urls, each):
    for lost in LOST_AND_PROCESSED:
        with each(lost.id):
            salesforce.apps["AcmeCI"].rotates = True
            salesforce.inject(lost.fault, path=TOKEN_PATH)
            NEW_ORG.send(owner, urls)

            response = NEW_ORG.send(owner, urls)

            assert NEW_ORG.read(response) == (400, "LOST_ANSWER", None), response
            assert SalesforceOrg.objects.count() == 1, "the hub alone"


def test_the_next_refresh_token_is_kept_if_another_field_is_invalid(owner, salesforce, rotating_urls, each):
    for wrong in WRONG_FIELDS:
        with each(wrong.id):
            salesforce.inject(wrong.fault, path=TOKEN_PATH)
            first = TOKEN.send(owner, rotating_urls)

            second = TOKEN.send(owner, rotating_urls)

            assert first.status_code == 502
            assert second.status_code == 200, second
            assert salesforce.is_alive(rotating_urls["hub"])


# --- A permanent refusal on record --------------------------------------------------------------------


def test_a_permanent_refusal_is_repeated_without_a_call(owner, member, salesforce, urls, each):
    for case, route in cells(PERMANENT, [*ISSUING, FRONTDOOR_LINK, AUTH_URL]):
        with each(f"{case.id} {route.id}"):
            salesforce.inject(case.fault, path=TOKEN_PATH)
            TOKEN.send(owner, urls)
            salesforce.reset_calls()

            response = route.send(owner, urls)

            assert route.read(response) == route.expected(case), response
            assert health_of(member) == ("expired", case.code)
            assert calls(salesforce) == (0, 0)
            assert shows_no_secret(response, salesforce)


def test_an_app_that_is_not_installed_is_tried_again_after_five_minutes(owner, member, salesforce, urls, each):
    for minutes, sent in ((4, 0), (6, 1)):
        with each(f"{minutes} minutes"):
            salesforce.apps["AcmeCI"].installed = False
            TOKEN.send(owner, urls)
            salesforce.apps["AcmeCI"].installed = True
            Credential.objects.update(last_checked_at=F("last_checked_at") - timedelta(minutes=minutes))
            salesforce.reset_calls()

            response = TOKEN.send(owner, urls)

            assert salesforce.refreshes() == sent
            assert response.status_code == (200 if sent else 409)
            assert health_of(member)[0] == ("healthy" if sent else "expired")


def test_no_other_refusal_is_tried_again_by_itself(owner, salesforce, urls):
    salesforce.inject(Fault.oauth("invalid_grant", "expired access/refresh token"), path=TOKEN_PATH)
    TOKEN.send(owner, urls)
    Credential.objects.update(last_checked_at=F("last_checked_at") - timedelta(days=30))

    assert TOKEN.read(TOKEN.send(owner, urls)) == (409, "CREDENTIAL_EXPIRED", None)
    assert salesforce.refreshes() == 1


def test_an_unknown_error_is_shown_by_its_code_and_tried_again(owner, member, salesforce, urls, each):
    for route in OF_KNOWN_ORG:
        with each(route.id):
            salesforce.inject(Fault.oauth("brand_new_error", f"token {urls['hub']}"), path=TOKEN_PATH)
            first = route.send(owner, urls)

            second = route.send(owner, urls)

            assert "Salesforce's error code is brand_new_error." in first.text
            assert shows_no_secret(first, salesforce)
            assert second.status_code == (201 if route is KNOWN_ORG else 200)
            assert health_of(member) == ("healthy", None)


def test_a_forced_refresh_clears_a_permanent_refusal(owner, member, salesforce, urls, each):
    for case, route in cells(PERMANENT, FORCING):
        with each(f"{case.id} {route.id}"):
            salesforce.inject(case.fault, path=TOKEN_PATH)
            TOKEN.send(owner, urls)

            response = route.send(owner, urls)

            assert response.status_code == (200 if route is TEST else 201), response
            assert health_of(member) == ("healthy", None)
            assert TOKEN.send(owner, urls).status_code == 200


def test_a_new_auth_url_clears_a_lost_response(owner, member, salesforce, rotating_urls, hub):
    salesforce.inject(Fault.reset(), path=TOKEN_PATH)
    TOKEN.send(owner, rotating_urls)
    TOKEN.send(owner, rotating_urls)

    response = KNOWN_ORG.send(owner, {"hub": hub.auth_url(salesforce.apps["AcmeCI"])})

    assert response.status_code == 201
    assert health_of(member) == ("healthy", None)
    assert TOKEN.send(owner, rotating_urls).status_code == 200

"""Sessions: one refresh for each request, lost responses, refusals on record, deletions. On both databases."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from authn.audit import org_named
from authn.models import AuditEvent
from authn.principals import system
from orgs.credentials import refresh_lock
from orgs.credentials.models import Credential
from orgs.credentials.session_request import SessionRequest
from orgs.credentials.sessions import open_session
from orgs.credentials.spool import node_id
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Fault
from tests.orgs.credentials.spooled_responses import leave_spooled_response
from tests.orgs.factories import ACCESS_TOKEN, ORG, REGISTER, TEST_CONNECTION, an_org
from tests.support.concurrency import run_together

pytestmark = [pytest.mark.database, pytest.mark.django_db]
CI = {"username": "ci@acme.example"}
TOKEN_PATH = "/services/oauth2/token"
REQUEST = SessionRequest(by=system("tests"), target=org_named("ci@acme.example"))


def test_no_caller_adopts_an_attempt_that_ended_before_its_request(ci, salesforce):
    first = open_session(Credential.objects.get(), REQUEST)
    salesforce.reset_calls()

    second = open_session(Credential.objects.get(), REQUEST)

    assert second.session.access_token != first.session.access_token
    assert salesforce.refreshes() == 1


def test_a_wait_that_times_out_reports_retry_after(owner, ci, salesforce, settings):
    settings.SALESFORCE_TIMEOUT_SECONDS = 0.1
    settings.REFRESH_LOCK_SECONDS = 25
    row = Credential.objects.get()
    refresh_lock.acquire_for_refresh(row.pk, row.generation)
    salesforce.reset_calls()

    response = owner.post(ACCESS_TOKEN, **CI)

    assert (response.status_code, response.json()["code"]) == (503, "REFRESH_IN_PROGRESS")
    assert 20 <= int(response.headers["Retry-After"]) <= 25
    assert salesforce.calls == []


def test_a_refresh_is_repeated_after_the_lock_of_a_dead_process_ran_out(owner, ci, salesforce):
    row = Credential.objects.get()
    refresh_lock.acquire_for_refresh(row.pk, row.generation)
    Credential.objects.update(locked_until=Now() - timedelta(seconds=1))

    assert owner.post(ACCESS_TOKEN, **CI).status_code == 200


# --- Two transactions, and no connection between them -----------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_refresh_takes_two_transactions_and_holds_no_connection_between_them(owner, rotating, salesforce):
    row = Credential.objects.get()
    seen: list[bool] = []
    salesforce.on_change = lambda _: seen.append(connection.connection is None)
    connection.ensure_connection()

    with CaptureQueriesContext(connection) as captured:
        open_session(row, REQUEST)

    statements = [query["sql"].strip().upper() for query in captured]
    assert seen == [True], "the connection was released before the call"
    assert len([sql for sql in statements if sql.startswith("BEGIN")]) == 2
    updates = [sql for sql in statements if sql.startswith('UPDATE "ORGS_CREDENTIAL"')]
    assert len(updates) == 2, updates


# --- Lost responses ---------------------------------------------------------------------------------


def test_the_next_request_reports_the_lost_response_of_a_rotating_token(owner, rotating, salesforce, member):
    salesforce.inject(Fault.reset(), path=TOKEN_PATH)
    lost = owner.post(ACCESS_TOKEN, **CI)
    between = member.get(ORG, **CI).json()["health"]

    found = owner.post(ACCESS_TOKEN, **CI)

    assert (lost.status_code, lost.json()["code"]) == (503, "UPSTREAM_LOST")
    assert (between["state"], between["reason"]) == ("uncertain", "UPSTREAM_LOST")
    assert (found.status_code, found.json()["code"]) == (409, "LOST_ANSWER")
    health = member.get(ORG, **CI).json()["health"]
    assert (health["state"], health["reason"]) == ("expired", "LOST_ANSWER")
    assert AuditEvent.objects.filter(code="LOST_ANSWER").exclude(attempt=None).count() == 1


def test_a_lost_response_is_harmless_if_salesforce_did_not_process_the_request(owner, rotating, salesforce):
    salesforce.inject(Fault.reset(processed=False), path=TOKEN_PATH)
    owner.post(ACCESS_TOKEN, **CI)

    response = owner.post(ACCESS_TOKEN, **CI)

    assert response.status_code == 200
    assert owner.get(ORG, **CI).json()["health"]["state"] == "healthy"
    assert Credential.objects.get().sent_at is None


def test_a_lost_response_is_harmless_if_the_token_does_not_rotate(owner, ci, salesforce):
    salesforce.inject(Fault.hang(60), path=TOKEN_PATH)
    lost = owner.post(ACCESS_TOKEN, **CI)

    response = owner.post(ACCESS_TOKEN, **CI)

    assert lost.refusal == (504, "UPSTREAM_TIMEOUT")
    assert response.status_code == 200


def test_a_temporary_failure_does_not_settle_whether_a_lost_response_spent_the_token(owner, rotating, salesforce):
    salesforce.inject(Fault.reset(), path=TOKEN_PATH)
    owner.post(ACCESS_TOKEN, **CI)
    salesforce.inject(Fault.html_maintenance(), path=TOKEN_PATH)
    temporary = owner.post(ACCESS_TOKEN, **CI)

    found = owner.post(ACCESS_TOKEN, **CI)

    assert temporary.json()["code"] == "UPSTREAM_MAINTENANCE"
    assert found.json()["code"] == "LOST_ANSWER"


def test_another_node_waits_for_the_node_that_may_have_the_response(owner, rotating, salesforce, settings):
    Credential.objects.update(sent_at=Now(), sent_by=uuid.uuid4())
    salesforce.reset_calls()

    early = owner.post(ACCESS_TOKEN, **CI)
    Credential.objects.update(sent_at=Now() - timedelta(seconds=settings.TAKEOVER_SECONDS + 1))
    late = owner.post(ACCESS_TOKEN, **CI)

    assert (early.status_code, early.json()["code"]) == (503, "REFRESH_IN_PROGRESS")
    assert settings.TAKEOVER_SECONDS - 5 <= int(early.headers["Retry-After"]) <= settings.TAKEOVER_SECONDS
    assert late.status_code == 200


def test_the_node_that_sent_a_lost_refresh_repeats_it_at_once(owner, rotating, salesforce):
    Credential.objects.update(sent_at=Now(), sent_by=node_id())

    assert owner.post(ACCESS_TOKEN, **CI).status_code == 200


def test_any_node_repeats_the_refresh_of_a_token_that_does_not_rotate(owner, ci, salesforce):
    Credential.objects.update(sent_at=Now(), sent_by=uuid.uuid4())

    assert owner.post(ACCESS_TOKEN, **CI).status_code == 200


# --- Refusals on record -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "temporary", [Fault.html_maintenance(), Fault.no_name(), Fault.status(500)], ids=lambda fault: fault.name
)
def test_a_permanent_refusal_stays_after_a_temporary_failure(owner, ci, salesforce, temporary):
    salesforce.inject(Fault.oauth("invalid_grant", "expired access/refresh token"), path=TOKEN_PATH)
    owner.post(ACCESS_TOKEN, **CI)
    salesforce.inject(temporary, path=TOKEN_PATH)
    owner.post(TEST_CONNECTION, **CI)
    salesforce.reset_calls()

    response = owner.post(ACCESS_TOKEN, **CI)

    assert (response.status_code, response.json()["code"]) == (409, "CREDENTIAL_EXPIRED")
    assert "Retry-After" not in response.headers
    assert salesforce.calls == []
    health = owner.get(ORG, **CI).json()["health"]
    assert (health["state"], health["reason"]) == ("expired", "CREDENTIAL_EXPIRED")


def test_a_response_lost_after_a_refusal_makes_the_credential_uncertain(owner, member, rotating, salesforce):
    salesforce.inject(Fault.oauth("invalid_grant", "inactive user"), path=TOKEN_PATH)
    owner.post(ACCESS_TOKEN, **CI)
    salesforce.inject(Fault.reset(processed=False), path=TOKEN_PATH)

    owner.post(TEST_CONNECTION, **CI)

    assert member.get(ORG, **CI).json()["health"]["state"] == "uncertain"
    assert owner.post(ACCESS_TOKEN, **CI).status_code == 200


# --- Deletions and crashes during a refresh ---------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_new_token_is_revoked_if_its_org_was_deleted_during_the_refresh(owner, rotating, salesforce):
    def delete() -> None:
        SalesforceOrg.objects.all().delete()
        Credential.objects.all().delete()

    def delete_before_the_response(_: object) -> None:
        salesforce.on_change = None
        run_together([delete])  # In a separate thread, as a deletion whose lock ran out.

    salesforce.on_change = delete_before_the_response

    response = owner.post(ACCESS_TOKEN, **CI)

    assert response.status_code == 404, response
    assert Credential.objects.count() == 0
    assert not salesforce.is_alive(rotating)


def test_a_first_rotated_token_survives_the_death_of_its_process(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret")
    url = an_org(salesforce).auth_url(app)
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    app.rotates = True
    leave_spooled_response(Credential.objects.get())
    Credential.objects.update(sent_at=Now(), sent_by=node_id())

    response = owner.post(ACCESS_TOKEN, **CI)

    assert response.status_code == 200
    assert salesforce.is_alive(url)

"""The credential engine's rules, one by one. On both databases."""

import time
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from authn.models import AuditEvent
from authn.principals import system
from orgs.credentials import refresh_lock, single_flight
from orgs.credentials.models import Credential
from orgs.credentials.session_request import SessionRequest
from orgs.credentials.sessions import open_session
from orgs.credentials.spool import node_id
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Fault
from tests.orgs.credentials.spooled_responses import leave_spooled_response
from tests.orgs.factories import ACCESS_TOKEN, ORG, REGISTER, TEST_CONNECTION, a_registered_org, an_org
from tests.support.concurrency import run_together

pytestmark = [pytest.mark.database, pytest.mark.django_db]
CI = {"username": "ci@acme.example"}
TOKEN_PATH = "/services/oauth2/token"
ASKING = SessionRequest(by=system("tests"), org="ci@acme.example")


@pytest.fixture
def ci(owner, salesforce):
    return a_registered_org(owner, salesforce, "ci@acme.example")


@pytest.fixture
def rotating(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    url = an_org(salesforce).auth_url(app)
    assert owner.post(REGISTER, {"sfdxAuthUrl": url}).status_code == 201
    return url


# --- Locks and generations --------------------------------------------------------------------------


def test_a_lock_is_acquired_once(ci):
    row = Credential.objects.get()

    assert refresh_lock.acquire_for_refresh(row.pk, row.generation)
    assert not refresh_lock.acquire_for_refresh(row.pk, row.generation)


def test_a_lock_is_for_the_generation_that_was_read(ci):
    row = Credential.objects.get()

    assert not refresh_lock.acquire_for_refresh(row.pk, row.generation - 1)
    assert not refresh_lock.acquire_for_refresh(row.pk, row.generation + 1)


def test_a_lock_runs_out(ci):
    row = Credential.objects.get()
    refresh_lock.acquire_for_refresh(row.pk, row.generation)
    Credential.objects.update(locked_until=Now() - timedelta(seconds=1))

    assert refresh_lock.acquire_for_refresh(row.pk, row.generation)


def test_a_lock_that_ran_out_is_not_released_for_the_process_that_acquired_it_since(ci):
    held = Credential.objects.get()

    with refresh_lock.hold_locks() as locks:
        assert locks.acquire(held)
        Credential.objects.update(locked_until=Now() - timedelta(seconds=1))
        assert refresh_lock.acquire_for_refresh(held.pk, held.generation)

    assert not refresh_lock.acquire_for_refresh(held.pk, held.generation)


def test_a_held_lock_is_renewed_and_released(ci):
    held = Credential.objects.get()

    with refresh_lock.hold_locks() as locks:
        assert locks.acquire(held)
        Credential.objects.update(locked_until=Now() - timedelta(seconds=1))
        held.refresh_from_db(fields=["locked_until"])
        assert locks.renew(held)
        assert not refresh_lock.acquire_for_refresh(held.pk, held.generation), "its time began again"

    assert refresh_lock.acquire_for_refresh(held.pk, held.generation)


def test_a_lock_that_another_process_holds_is_not_renewed(ci):
    held = Credential.objects.get()

    with refresh_lock.hold_locks() as locks:
        assert locks.acquire(held)
        Credential.objects.update(locked_until=Now() - timedelta(seconds=1))
        assert refresh_lock.acquire_for_refresh(held.pk, held.generation)

        assert not locks.renew(held)


def test_no_caller_adopts_a_generation_at_or_below_the_one_it_read(ci, salesforce):
    first = open_session(Credential.objects.get(), ASKING)
    salesforce.reset_calls()

    second = open_session(Credential.objects.get(), ASKING)

    assert second.session.access_token != first.session.access_token
    assert salesforce.refreshes() == 1


def test_a_waiter_adopts_the_outcome_of_an_attempt_that_ends_while_it_waits(owner, ci, settings):
    row = Credential.objects.get()
    assert refresh_lock.acquire_for_refresh(row.pk, row.generation)
    newest = open_session_text(row)
    Credential.objects.update(generation=F("generation") + 1, locked_until=None, outcome="", sealed_session=newest)

    sight = single_flight.wait_for_attempt(row.pk, row.generation, deadline=time.monotonic() + 1)

    assert sight is not None
    assert sight.generation == row.generation + 1


def open_session_text(row: Credential) -> str:
    return Credential.objects.with_secrets().get(pk=row.pk).sealed_session.decrypt()


def test_a_waiter_that_times_out_gets_a_retry_after(owner, ci, salesforce, settings):
    settings.SALESFORCE_TIMEOUT_SECONDS = 0.1
    settings.REFRESH_LOCK_SECONDS = 25
    row = Credential.objects.get()
    refresh_lock.acquire_for_refresh(row.pk, row.generation)
    salesforce.reset_calls()

    answer = owner.post(ACCESS_TOKEN, **CI)

    assert (answer.status_code, answer.json()["code"]) == (503, "REFRESH_IN_PROGRESS")
    assert 20 <= int(answer.headers["Retry-After"]) <= 25
    assert salesforce.calls == []


def test_a_lock_whose_holder_died_is_taken_over(owner, ci, salesforce):
    row = Credential.objects.get()
    refresh_lock.acquire_for_refresh(row.pk, row.generation)
    Credential.objects.update(locked_until=Now() - timedelta(seconds=1))

    assert owner.post(ACCESS_TOKEN, **CI).status_code == 200


# --- Two transactions, and no connection in between ----------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_mint_is_two_transactions_and_holds_no_connection_upstream(owner, rotating, salesforce):
    row = Credential.objects.get()
    seen: list[bool] = []
    salesforce.on_change = lambda _: seen.append(connection.connection is None)
    connection.ensure_connection()

    with CaptureQueriesContext(connection) as captured:
        open_session(row, ASKING)

    statements = [query["sql"].strip().upper() for query in captured]
    assert seen == [True], "the connection was given back before the call"
    assert len([sql for sql in statements if sql.startswith("BEGIN")]) == 2
    updates = [sql for sql in statements if sql.startswith('UPDATE "ORGS_CREDENTIAL"')]
    assert len(updates) == 2, updates


# --- Lost answers --------------------------------------------------------------------------------------


def test_a_lost_answer_of_a_rotating_token_is_found_at_the_next_use(owner, rotating, salesforce, member):
    salesforce.inject(Fault.reset(), path=TOKEN_PATH)
    lost = owner.post(ACCESS_TOKEN, **CI)
    between = member.get(ORG, **CI).json()["health"]

    found = owner.post(ACCESS_TOKEN, **CI)

    assert (lost.status_code, lost.json()["code"]) == (503, "UPSTREAM_LOST")
    assert (between["state"], between["reason"]) == ("uncertain", "UPSTREAM_LOST")
    assert (found.status_code, found.json()["code"]) == (409, "LOST_ANSWER")
    health = member.get(ORG, **CI).json()["health"]
    assert (health["state"], health["reason"]) == ("expired", "LOST_ANSWER")
    assert AuditEvent.objects.filter(action="credential.refresh_ended", code="LOST_ANSWER").count() == 1


def test_a_lost_answer_that_was_never_processed_does_no_harm(owner, rotating, salesforce):
    salesforce.inject(Fault.reset(processed=False), path=TOKEN_PATH)
    owner.post(ACCESS_TOKEN, **CI)

    answer = owner.post(ACCESS_TOKEN, **CI)

    assert answer.status_code == 200
    assert owner.get(ORG, **CI).json()["health"]["state"] == "healthy"
    assert Credential.objects.get().sent_at is None


def test_a_lost_answer_of_a_token_that_does_not_rotate_does_no_harm(owner, ci, salesforce):
    salesforce.inject(Fault.hang(60), path=TOKEN_PATH)
    lost = owner.post(ACCESS_TOKEN, **CI)

    answer = owner.post(ACCESS_TOKEN, **CI)

    assert lost.refusal == (504, "UPSTREAM_TIMEOUT")
    assert answer.status_code == 200


def test_another_node_leaves_a_lost_answer_to_the_node_that_may_have_it(owner, rotating, salesforce, settings):
    Credential.objects.update(sent_at=Now(), sent_by=uuid.uuid4())
    salesforce.reset_calls()

    early = owner.post(ACCESS_TOKEN, **CI)
    Credential.objects.update(sent_at=Now() - timedelta(seconds=settings.TAKEOVER_SECONDS + 1))
    late = owner.post(ACCESS_TOKEN, **CI)

    assert (early.status_code, early.json()["code"]) == (503, "REFRESH_IN_PROGRESS")
    assert settings.TAKEOVER_SECONDS - 5 <= int(early.headers["Retry-After"]) <= settings.TAKEOVER_SECONDS
    assert late.status_code == 200


def test_the_same_node_asks_again_at_once(owner, rotating, salesforce):
    Credential.objects.update(sent_at=Now(), sent_by=node_id())

    assert owner.post(ACCESS_TOKEN, **CI).status_code == 200


def test_a_token_that_does_not_rotate_is_left_to_nobody(owner, ci, salesforce):
    Credential.objects.update(sent_at=Now(), sent_by=uuid.uuid4())

    assert owner.post(ACCESS_TOKEN, **CI).status_code == 200


# --- Refusals on record -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "later", [Fault.html_maintenance(), Fault.no_name(), Fault.status(500)], ids=lambda fault: fault.name
)
def test_a_definite_refusal_outlives_a_later_that_a_test_connection_gets(owner, ci, salesforce, later):
    salesforce.inject(Fault.oauth("invalid_grant", "expired access/refresh token"), path=TOKEN_PATH)
    owner.post(ACCESS_TOKEN, **CI)
    salesforce.inject(later, path=TOKEN_PATH)
    owner.post(TEST_CONNECTION, **CI)
    salesforce.reset_calls()

    answer = owner.post(ACCESS_TOKEN, **CI)

    assert (answer.status_code, answer.json()["code"]) == (409, "CREDENTIAL_EXPIRED")
    assert "Retry-After" not in answer.headers
    assert salesforce.calls == []
    health = owner.get(ORG, **CI).json()["health"]
    assert (health["state"], health["reason"]) == ("expired", "CREDENTIAL_EXPIRED")


def test_an_answer_that_is_lost_after_a_refusal_leaves_it_open_what_the_token_is(owner, member, rotating, salesforce):
    salesforce.inject(Fault.oauth("invalid_grant", "inactive user"), path=TOKEN_PATH)
    owner.post(ACCESS_TOKEN, **CI)
    salesforce.inject(Fault.reset(processed=False), path=TOKEN_PATH)

    owner.post(TEST_CONNECTION, **CI)

    assert member.get(ORG, **CI).json()["health"]["state"] == "uncertain"
    assert owner.post(ACCESS_TOKEN, **CI).status_code == 200


# --- Credentials that go while somebody waits ------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_new_token_is_revoked_when_its_org_was_deleted_meanwhile(owner, rotating, salesforce):
    def delete() -> None:
        SalesforceOrg.objects.all().delete()
        Credential.objects.all().delete()

    def delete_at_the_answer(_: object) -> None:
        salesforce.on_change = None
        run_together([delete])  # As a delete whose lease has run out would, in a thread of its own.

    salesforce.on_change = delete_at_the_answer

    answer = owner.post(ACCESS_TOKEN, **CI)

    assert answer.status_code == 404, answer
    assert Credential.objects.count() == 0
    assert not salesforce.is_alive(rotating)


def test_a_later_does_not_settle_whether_a_lost_answer_spent_the_token(owner, rotating, salesforce):
    salesforce.inject(Fault.reset(), path=TOKEN_PATH)
    owner.post(ACCESS_TOKEN, **CI)
    salesforce.inject(Fault.html_maintenance(), path=TOKEN_PATH)
    later = owner.post(ACCESS_TOKEN, **CI)

    found = owner.post(ACCESS_TOKEN, **CI)

    assert later.json()["code"] == "UPSTREAM_MAINTENANCE"
    assert found.json()["code"] == "LOST_ANSWER"


def test_an_app_that_starts_to_rotate_while_a_process_dies_loses_nothing(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret")
    url = an_org(salesforce).auth_url(app)
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    app.rotates = True
    leave_spooled_response(Credential.objects.get())
    Credential.objects.update(sent_at=Now(), sent_by=node_id())

    answer = owner.post(ACCESS_TOKEN, **CI)

    assert answer.status_code == 200
    assert salesforce.is_alive(url)

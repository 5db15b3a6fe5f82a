"""Limits of the engine: calls to Salesforce at once, waiting threads, the login budget."""

import threading
import uuid
from contextvars import copy_context

import pytest
from django.utils import timezone

from authn import audit
from authn.audit import org_named
from authn.principals import system
from orgs.credentials import concurrency, refresh_lock, single_flight
from orgs.credentials.attempts import acquire
from orgs.credentials.concurrency import salesforce_slot
from orgs.credentials.errors import SessionError
from orgs.credentials.models import Credential
from orgs.credentials.session_request import SessionRequest
from orgs.credentials.spool import AttemptId
from orgs.salesforce.emulator import Fault
from tests.orgs.credentials.disk_faults import no_space
from tests.orgs.factories import ACCESS_TOKEN

pytestmark = [pytest.mark.database, pytest.mark.django_db]
TOKEN_PATH = "/services/oauth2/token"
CI = {"username": "ci@acme.example"}
REQUEST = SessionRequest(by=system("tests"), target=org_named("ci@acme.example"))


def test_four_calls_go_to_one_org_and_the_fifth_waits_for_a_slot(settings):
    settings.SALESFORCE_TIMEOUT_SECONDS, settings.REFRESH_LOCK_SECONDS = 1.0, 1.6
    org, other = uuid.uuid4(), uuid.uuid4()
    all_hold = threading.Barrier(concurrency.SLOTS_PER_ORG + 1)
    free = threading.Event()

    def hold() -> None:
        with salesforce_slot(org):
            all_hold.wait(10)
            free.wait(10)

    audit.require_writable()  # Once for all threads: this test holds SQLite's write lock.
    holders = [threading.Thread(target=copy_context().run, args=(hold,)) for _ in range(concurrency.SLOTS_PER_ORG)]
    for holder in holders:
        holder.start()
    all_hold.wait(10)

    with pytest.raises(SessionError) as refused, salesforce_slot(org):
        pass
    with salesforce_slot(other):
        pass
    free.set()
    for holder in holders:
        holder.join()

    assert refused.value.code == "UPSTREAM_BUSY"
    assert refused.value.retry_after == 1
    with salesforce_slot(org):
        pass  # A slot is free again.


def test_half_of_the_threads_may_call_salesforce(settings):
    settings.WEB_THREADS = 4
    settings.SALESFORCE_TIMEOUT_SECONDS, settings.REFRESH_LOCK_SECONDS = 1.0, 1.6

    with (
        salesforce_slot(uuid.uuid4()),
        salesforce_slot(uuid.uuid4()),
        pytest.raises(SessionError),
        salesforce_slot(uuid.uuid4()),
    ):
        pass


def test_a_quarter_of_the_threads_is_kept_free_of_waiters(owner, ci, settings, monkeypatch):
    settings.WEB_THREADS = 4
    row = Credential.objects.get()
    refresh_lock.acquire_for_refresh(row.pk, row.generation)
    flight = single_flight._Flight(waiters=3)
    monkeypatch.setitem(single_flight._flights, uuid.uuid4(), flight)

    response = owner.post(ACCESS_TOKEN, **CI)

    assert (response.status_code, response.json()["code"], response.headers["Retry-After"]) == (
        503,
        "UPSTREAM_BUSY",
        "1",
    )


# --- Budget ------------------------------------------------------------------------------------------


def test_a_fifth_of_the_budget_may_be_spent_at_once_and_returns_evenly(ci, settings):
    settings.LOGIN_BUDGET_PER_HOUR = 50
    Credential.objects.update(budget_spent_until=None)
    row = Credential.objects.get()

    taken = 0
    while taken < 50 and refresh_lock.acquire_for_refresh(row.pk, row.generation):
        Credential.objects.update(locked_until=None, sent_at=None)
        taken += 1
    status = refresh_lock.status(row.pk)

    assert taken == 10
    assert status is not None
    assert status.blocked_by == "LOGIN_BUDGET"
    assert 85 <= status.block_remaining <= 90, "40 an hour return: one each 90 seconds"


def test_a_second_request_is_charged_as_another_log_in(owner, ci, salesforce, settings):
    settings.LOGIN_BUDGET_PER_HOUR = 50
    Credential.objects.update(budget_spent_until=None)
    salesforce.inject(Fault.oauth("invalid_grant", "token request is already being processed"), path=TOKEN_PATH)

    response = owner.post(ACCESS_TOKEN, **CI)

    spent_until = Credential.objects.get().budget_spent_until
    assert spent_until is not None
    spent = spent_until - timezone.now()
    assert response.status_code == 200
    assert 175 <= spent.total_seconds() <= 180, "40 an hour return: two are 180 seconds"


def test_no_second_request_is_sent_beyond_the_budget(owner, ci, salesforce, settings):
    settings.LOGIN_BUDGET_PER_HOUR = 5
    Credential.objects.update(budget_spent_until=None)
    salesforce.reset_calls()
    salesforce.inject(Fault.oauth("invalid_grant", "token request is already being processed"), path=TOKEN_PATH)

    response = owner.post(ACCESS_TOKEN, **CI)

    assert (response.status_code, response.json()["code"]) == (503, "REFRESH_IN_PROGRESS")
    assert salesforce.refreshes() == 1


def test_an_attempt_without_disk_space_is_not_charged(ci, monkeypatch):
    row = Credential.objects.get()
    before = row.budget_spent_until

    monkeypatch.setattr("os.posix_fallocate", no_space)
    with pytest.raises(Exception, match="cannot store"):
        acquire(row, REQUEST)

    row.refresh_from_db()
    assert (row.budget_spent_until, row.locked_until, row.sent_at) == (before, None, None)
    assert not AttemptId(row.pk, row.generation).path.exists()

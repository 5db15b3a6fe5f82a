"""Attempts whose process died before Salesforce responded, or whose caller no longer waits for the response."""

import os
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from authn.audit import org_named
from authn.models import AuditEvent
from authn.principals import system
from orgs.credentials import attempts, refresh_lock, sessions, spool
from orgs.credentials.concurrency import salesforce_slot
from orgs.credentials.envelopes import decrypt_grant, decrypt_session
from orgs.credentials.models import Credential
from orgs.credentials.outcomes import from_response, to_text
from orgs.credentials.replay import replay
from orgs.credentials.session_request import SessionRequest
from orgs.credentials.spool import AttemptId, SpoolFile
from orgs.salesforce import TokenResponse
from tests.orgs.credentials.disk_faults import io_error
from tests.orgs.factories import ACCESS_TOKEN

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("spool_folder")]


@pytest.fixture
def interrupted(rotating, settings) -> Credential:
    """A credential whose refresh ended when a process of this node was killed."""
    settings.REFRESH_LOCK_SECONDS, settings.TAKEOVER_SECONDS = 300, 600
    credential = Credential.objects.get()
    assert refresh_lock.acquire_for_refresh(credential.pk, credential.generation)
    AttemptId(credential.pk, credential.generation).path.write_bytes(bytes(spool.RESERVED_BYTES))
    return credential


def test_the_lock_of_a_dead_process_is_released_at_once(owner, salesforce, rotating, interrupted):
    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200
    assert salesforce.is_alive(rotating)


def test_the_lock_of_a_running_process_is_not_released(owner, interrupted, settings):
    settings.SALESFORCE_TIMEOUT_SECONDS = 0.1
    [path] = spool.files()
    held = spool.lock_abandoned(path)
    assert held is not None
    with held:
        response = owner.post(ACCESS_TOKEN, username="ci@acme.example")

        assert (response.status_code, response.json()["code"]) == (503, "REFRESH_IN_PROGRESS")


def test_a_lock_for_a_deletion_is_not_released_by_a_replay(interrupted):
    credential = Credential.objects.get()
    Credential.objects.update(locked_until=None)
    with refresh_lock.hold_locks() as locks:
        assert locks.acquire(credential)
        Credential.objects.update(sent_at=Now() - timedelta(seconds=5))

        replay()

        assert Credential.objects.get().locked_until == credential.locked_until


def test_an_attempt_whose_lock_ran_out_does_not_overwrite_a_newer_outcome(rotating):
    credential = Credential.objects.get()
    request = SessionRequest(by=system("tests"), target=org_named("ci@acme.example"))
    late = attempts.acquire(credential, request)
    assert late is not None

    with late.spool:
        outcome = attempts.send(late)
        newer = credential.generation + 1
        Credential.objects.update(generation=newer, locked_until=None, outcome="CREDENTIAL_EXPIRED")
        is_committed = attempts.commit(late, outcome, request)

    stored = Credential.objects.get()
    assert not is_committed
    assert (stored.generation, stored.outcome) == (newer, "CREDENTIAL_EXPIRED")
    assert spool.files() != [], "the response is not lost"


@pytest.fixture
def awaited(rotating) -> SpoolFile:
    """The file of an attempt whose caller got 504, while its response may still arrive."""
    credential = Credential.objects.get()
    file = SpoolFile.reserve(AttemptId(credential.pk, credential.generation))
    Credential.objects.update(
        generation=credential.generation + 1,
        sent_at=Now(),
        sent_by=spool.node_id(),
        unanswered_since=credential.generation,
        health="uncertain",
        rotates=True,
    )
    return file


def _late_response(salesforce) -> TokenResponse:
    """Refresh at Salesforce without storing the response."""
    credential = Credential.objects.get()
    with salesforce_slot(credential.pk) as client:
        return client.refresh(decrypt_grant(credential).auth_url)


@pytest.mark.parametrize("is_committed", [False, True], ids=["spooled", "committed"])
def test_a_response_that_arrives_between_a_request_and_its_refresh_is_used(
    owner, salesforce, rotating, awaited, monkeypatch, is_committed
):
    grant, response = decrypt_grant(Credential.objects.get()), _late_response(salesforce)
    salesforce.reset_calls()
    load = sessions._load

    def load_and_receive(credential: Credential, *, is_current: bool) -> Credential:
        monkeypatch.setattr(sessions, "_load", load)
        snapshot = load(credential, is_current=is_current)
        if is_committed:
            attempts._keep_late(awaited, grant, response)
        else:
            with awaited:
                awaited.write(to_text(from_response(grant, response)))
        return snapshot

    monkeypatch.setattr(sessions, "_load", load_and_receive)

    issued = owner.post(ACCESS_TOKEN, username="ci@acme.example")

    assert issued.status_code == 200, issued
    assert salesforce.refreshes() == 0, "the late response is newer than the request"
    assert salesforce.is_alive(rotating)
    assert spool.files() == []


def test_a_late_response_is_committed_when_the_disk_fails(owner, salesforce, rotating, awaited, monkeypatch):
    grant, response = decrypt_grant(Credential.objects.get()), _late_response(salesforce)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", io_error)
        attempts._keep_late(awaited, grant, response)

    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200
    assert salesforce.is_alive(rotating)
    assert spool.files() == []


def test_a_late_response_without_a_new_refresh_token_is_replayed_when_the_database_was_unavailable(
    owner, salesforce, rotating, awaited, monkeypatch
):
    credential = Credential.objects.get()
    response = replace(_late_response(salesforce), refresh_token=None)

    with monkeypatch.context() as patch:
        patch.setattr("orgs.credentials.replay.commit", raise_operational_error)
        with pytest.raises(OperationalError):
            attempts._keep_late(awaited, decrypt_grant(credential), response)

    assert len(spool.files()) == 1, "the response is not lost"
    assert replay() == 1
    assert spool.files() == []
    stored = Credential.objects.get()
    assert (stored.health, stored.outcome, stored.sent_at) == ("healthy", "", None)
    assert decrypt_session(stored) == response.session


def raise_operational_error(*_args: object) -> None:
    raise OperationalError


def test_an_attempt_that_nothing_completed_is_a_line_of_the_audit(owner, rotating):
    request = SessionRequest(by=system("tests"), target=org_named("ci@acme.example"))
    AuditEvent.objects.all().delete()
    attempt = attempts.acquire(Credential.objects.get(), request)
    assert attempt is not None
    attempt.spool.close()
    attempt.spool.attempt_id.path.write_bytes(bytes(spool.RESERVED_BYTES))  # As a process leaves it that is killed.

    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200

    lines = [(line.action, line.outcome) for line in AuditEvent.objects.lines().order_by("pk")]
    assert lines == [("credential.refresh_sent", "attempted"), ("access_token.handed_out", "granted")]

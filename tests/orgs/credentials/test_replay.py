"""A replay commits the responses that a crash or a database outage left in the spool."""

import os
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from authn.models import AuditEvent
from orgs.credentials import spool
from orgs.credentials.models import Credential
from orgs.credentials.replay import replay
from orgs.credentials.spool import AttemptId
from orgs.salesforce.emulator import Fault
from tests.orgs.credentials.disk_faults import io_error
from tests.orgs.credentials.spooled_responses import leave_spooled_response
from tests.orgs.factories import ACCESS_TOKEN, ORG, TEST_CONNECTION

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("spool_folder")]


def test_an_abandoned_response_is_committed(owner, salesforce, rotating):
    before = Credential.objects.get()
    leave_spooled_response(before)

    assert replay() == 1

    assert Credential.objects.get().generation == before.generation + 1
    assert AuditEvent.objects.filter(action="credential.answer_replayed").count() == 1
    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200
    assert salesforce.is_alive(rotating)


def test_a_sweep_commits_an_abandoned_response(owner, salesforce, rotating, spool_folder):
    leave_spooled_response(Credential.objects.get())

    call_command("sweep")

    assert [path.name for path in spool.files()] == []
    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200
    assert salesforce.is_alive(rotating)


def test_a_sweep_reports_a_spool_that_cannot_be_read(monkeypatch, rotating):
    leave_spooled_response(Credential.objects.get())
    monkeypatch.setattr(os, "pread", io_error)

    with pytest.raises(CommandError, match="A sweep failed"):
        call_command("sweep")


def test_the_next_request_commits_an_abandoned_response(owner, salesforce, rotating):
    credential = Credential.objects.get()
    leave_spooled_response(credential)
    Credential.objects.update(sent_at=credential.created_at, sent_by=spool.node_id())

    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200
    assert salesforce.is_alive(rotating)


def test_a_response_that_was_committed_before_is_only_removed(salesforce, rotating, spool_folder):
    credential = Credential.objects.get()
    leave_spooled_response(credential)
    Credential.objects.update(generation=credential.generation + 1)

    assert replay() == 0

    assert [path.name for path in spool.files()] == []
    assert Credential.objects.get().generation == credential.generation + 1


@pytest.fixture
def restart_other(rotating, settings) -> Callable[[], Path]:
    """Leave a response in the spool of another node, which is stopped. Returns a function that starts it again."""
    credential = Credential.objects.get()
    leave_spooled_response(credential)
    sent_at = Now() - timedelta(seconds=settings.TAKEOVER_SECONDS + 1)
    Credential.objects.update(sent_at=sent_at, sent_by=uuid.uuid4())
    file = AttemptId(credential.pk, credential.generation).path
    elsewhere = file.rename(file.with_suffix(".elsewhere"))
    return lambda: elsewhere.rename(file)


@pytest.mark.parametrize(
    "fault",
    [Fault.no_name(), Fault.html_maintenance(), Fault.reset(processed=False)],
    ids=["never sent", "maintenance", "lost response"],
)
def test_a_response_is_committed_after_later_attempts_that_settled_nothing(
    owner, salesforce, rotating, restart_other, fault
):
    salesforce.inject(fault, path="/services/oauth2/token", times=2)
    assert [owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code for _ in range(2)] == [503, 503]

    restart_other()

    assert replay() == 1
    assert Credential.objects.get().sent_at is None
    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200
    assert salesforce.is_alive(rotating)


def test_the_next_request_commits_a_response_of_an_earlier_generation(owner, salesforce, rotating, restart_other):
    salesforce.inject(Fault.no_name(), path="/services/oauth2/token")
    owner.post(ACCESS_TOKEN, username="ci@acme.example")
    restart_other()

    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200
    assert salesforce.is_alive(rotating)


def test_a_response_from_before_a_settled_attempt_is_only_removed(owner, salesforce, rotating, spool_folder):
    leave_spooled_response(Credential.objects.get())
    elsewhere = AttemptId(Credential.objects.get().pk, Credential.objects.get().generation).path
    kept = elsewhere.rename(elsewhere.with_suffix(".elsewhere"))
    Credential.objects.update(sent_at=Now() - timedelta(hours=1), sent_by=uuid.uuid4())
    salesforce.inject(Fault.oauth("invalid_grant", "inactive user"), path="/services/oauth2/token")
    owner.post(ACCESS_TOKEN, username="ci@acme.example")
    salesforce.inject(Fault.reset(processed=False), path="/services/oauth2/token")
    owner.post(TEST_CONNECTION, username="ci@acme.example")
    grant = Credential.objects.with_secrets().get().sealed_grant.decrypt()

    kept.rename(elsewhere)

    assert replay() == 0
    assert [path.name for path in spool.files()] == []
    assert Credential.objects.with_secrets().get().sealed_grant.decrypt() == grant


def test_the_spooled_token_of_a_deleted_credential_is_revoked(owner, salesforce, rotating, spool_folder):
    leave_spooled_response(Credential.objects.get())
    owner.delete(ORG, username="ci@acme.example")

    replay()

    assert not salesforce.is_alive(rotating)
    assert [path.name for path in spool.files()] == []

"""A spooled response that cannot be read blocks the refresh of its org, and of no other."""

import errno
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now

from orgs.credentials import spool
from orgs.credentials.models import Credential
from orgs.credentials.replay import ReplayIncomplete, loop, replay
from orgs.credentials.spool import AttemptId
from tests.orgs.credentials.spooled_responses import leave_spooled_response
from tests.orgs.factories import ACCESS_TOKEN, REGISTER, an_org

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("spool_folder")]


@pytest.fixture
def two_spooled(owner, salesforce, spool_folder) -> list[Credential]:
    """Two rotating credentials whose newest tokens are in the spool only, the older one first."""
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    for number, name in enumerate(("old@acme.example", "new@acme.example")):
        assert owner.post(REGISTER, {"sfdxAuthUrl": an_org(salesforce, name).auth_url(app)}).status_code == 201
        credential = Credential.objects.get(org__username=name)
        leave_spooled_response(credential)
        Credential.objects.filter(pk=credential.pk).update(
            sent_at=Now(), sent_by=spool.node_id(), unanswered_since=credential.generation, health="uncertain"
        )
        path = AttemptId(credential.pk, credential.generation).path
        os.utime(path, (number, number))
    return list(Credential.objects.order_by("created_at"))


@pytest.fixture
def forbid_opening(monkeypatch) -> Callable[[Path], None]:
    """Refuse to open a file, as if another user owned it. Permissions would not stop root."""
    refused: set[str] = set()
    really_open = os.open

    def guarded(path: object, *arguments: int, **options: int) -> int:
        if str(path) in refused:
            raise PermissionError(errno.EACCES, "Permission denied")
        return really_open(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", guarded)
    return lambda path: refused.add(str(path))


def test_a_file_that_cannot_be_opened_does_not_delay_the_others(two_spooled, forbid_opening, caplog):
    old, new = two_spooled
    forbid_opening(AttemptId(old.pk, old.generation).path)

    with pytest.raises(ReplayIncomplete):
        replay()

    assert Credential.objects.get(pk=new.pk).generation == new.generation + 1
    assert [AttemptId(old.pk, old.generation).path.name in record.getMessage() for record in caplog.records] == [True]


def test_a_file_that_stays_unreadable_is_logged_once(two_spooled, forbid_opening, caplog):
    old, _ = two_spooled
    forbid_opening(AttemptId(old.pk, old.generation).path)

    assert [loop.run_once() for _ in range(5)] == [True] * 5

    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1


def test_an_org_whose_response_cannot_be_read_is_not_refreshed(owner, salesforce, two_spooled, forbid_opening):
    old, _ = two_spooled
    path = AttemptId(old.pk, old.generation).path
    forbid_opening(path)
    salesforce.reset_calls()

    response = owner.post(ACCESS_TOKEN, username="old@acme.example")

    assert (response.status_code, response.json()["code"]) == (503, "SPOOL_UNREADABLE")
    assert path.name in response.json()["message"]
    assert salesforce.calls == []
    assert owner.post(ACCESS_TOKEN, username="new@acme.example").status_code == 200


def test_an_org_is_refreshed_again_when_its_file_can_be_read(owner, two_spooled, forbid_opening, monkeypatch):
    old, _ = two_spooled
    forbid_opening(AttemptId(old.pk, old.generation).path)
    assert owner.post(ACCESS_TOKEN, username="old@acme.example").refusal == (503, "SPOOL_UNREADABLE")

    monkeypatch.undo()

    assert owner.post(ACCESS_TOKEN, username="old@acme.example").status_code == 200


def test_other_nodes_do_not_take_over_while_a_response_cannot_be_read(two_spooled, forbid_opening):
    old, _ = two_spooled
    Credential.objects.update(sent_at=Now() - timedelta(hours=1))
    forbid_opening(AttemptId(old.pk, old.generation).path)

    loop.run_once()

    assert Credential.objects.filter(pk=old.pk, sent_at__gt=Now() - timedelta(minutes=1)).exists()


def test_a_damaged_response_that_a_credential_needs_stays_and_blocks_its_refresh(owner, salesforce, two_spooled):
    old, _ = two_spooled
    path = AttemptId(old.pk, old.generation).path
    path.write_bytes(path.read_bytes()[:100])
    salesforce.reset_calls()

    response = owner.post(ACCESS_TOKEN, username="old@acme.example")

    assert (response.status_code, response.json()["code"]) == (503, "SPOOL_UNREADABLE")
    assert salesforce.calls == []
    assert path.exists()


def test_a_new_auth_url_can_be_registered_despite_a_damaged_response(owner, salesforce, two_spooled):
    old, _ = two_spooled
    AttemptId(old.pk, old.generation).path.write_bytes(b"damaged")
    url = salesforce.orgs[0].auth_url(salesforce.apps["AcmeCI"])

    assert owner.post(REGISTER, {"sfdxAuthUrl": url}).status_code == 201

    assert owner.post(ACCESS_TOKEN, username="old@acme.example").status_code == 200

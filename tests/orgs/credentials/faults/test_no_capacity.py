"""A desk without disk space or without a free slot sends nothing to Salesforce, on every route."""

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db.models.functions import Now

from orgs.credentials.concurrency import salesforce_slot
from orgs.credentials.models import Credential
from orgs.credentials.spool import node_id
from tests.orgs.credentials.disk_faults import no_space
from tests.orgs.credentials.faults.fault_table import BUSY, FaultCase
from tests.orgs.credentials.faults.routes import NEW_ORG, OF_KNOWN_ORG, REVOKE, TOKEN, calls, health_of

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def no_slot(urls, settings) -> Iterator[None]:
    """Occupy both slots that four threads have, with calls to two other orgs."""
    settings.WEB_THREADS, settings.SALESFORCE_TIMEOUT_SECONDS, settings.REFRESH_LOCK_SECONDS = 4, 1.0, 1.5
    with salesforce_slot(uuid.uuid4()), salesforce_slot(uuid.uuid4()):
        yield


@pytest.fixture(params=["not-a-directory", "full", "gone"])
def no_spool(request, urls, settings, tmp_path: Path, monkeypatch) -> None:
    """Prevent the desk from storing responses, in one of three ways."""
    settings.SPOOL_DIR = str(tmp_path / "spool")
    if request.param == "not-a-directory":
        (tmp_path / "spool").write_text("")
    elif request.param == "full":
        monkeypatch.setattr(os, "posix_fallocate", no_space)
    else:
        node_id()
        shutil.rmtree(tmp_path / "spool")


NO_SPOOL = FaultCase("no-spool", BUSY, 503, "SPOOL_UNAVAILABLE", "30", None, 0)
NO_SLOT = FaultCase("no-slot", BUSY, 503, "UPSTREAM_BUSY", "1", None, 0)


def test_without_disk_space_for_the_response_nothing_is_sent(owner, member, salesforce, urls, no_spool, each):
    for route in [NEW_ORG, *OF_KNOWN_ORG]:
        with each(route.id):
            response = route.send(owner, urls)

            assert route.read(response) == route.expected(NO_SPOOL), response
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (0, 0)
            assert Credential.objects.filter(locked_until=None, sent_at=None).count() == 1


def test_without_disk_space_a_lost_refresh_is_not_repeated(owner, member, salesforce, rotating_urls, no_spool):
    Credential.objects.update(health="uncertain", reason="UPSTREAM_LOST", sent_at=Now(), sent_by=uuid.uuid4())

    response = TOKEN.send(owner, rotating_urls)

    assert response.status_code == 503, response
    assert calls(salesforce) == (0, 0)


def test_without_a_free_slot_nothing_is_sent(owner, member, salesforce, urls, no_slot, each):
    for route in [NEW_ORG, *OF_KNOWN_ORG, REVOKE]:
        with each(route.id):
            response = route.send(owner, urls)

            assert route.read(response) == route.expected(NO_SLOT), response
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (0, 0)
            assert Credential.objects.filter(locked_until=None).count() == 1, "the lock was released"

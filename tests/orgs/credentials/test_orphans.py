"""Credentials that failed registrations left behind are deleted after a day."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone

from orgs.credentials.models import Credential
from orgs.credentials.orphans import delete_orphans
from orgs.credentials.token_index import credential_for
from orgs.salesforce import AuthUrl, HostPolicy
from orgs.salesforce.emulator import Fault
from tests.orgs.factories import REGISTER, a_registered_org, an_org

pytestmark = [pytest.mark.database, pytest.mark.django_db]
LATER = timedelta(hours=25)


@pytest.fixture
def orphan(owner, salesforce):
    """The auth URL of a registration that failed after its token had rotated."""
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    url = an_org(salesforce, "ci@acme.example").auth_url(app)
    salesforce.inject(Fault.status(500), path="/services/data")
    assert owner.post(REGISTER, {"sfdxAuthUrl": url}).status_code == 503
    assert Credential.objects.count() == 1
    return url


def _age(time: timedelta) -> None:
    """Make all credentials older by `time`."""
    Credential.objects.update(created_at=F("created_at") - time, last_checked_at=F("last_checked_at") - time)


def test_a_rotated_token_is_kept_for_a_day(salesforce, orphan):
    assert delete_orphans() == 0

    assert salesforce.is_alive(orphan)


def test_a_rotated_token_is_revoked_and_deleted_after_a_day(salesforce, orphan):
    _age(LATER)
    call_command("sweep")

    assert not salesforce.is_alive(orphan)
    assert Credential.objects.count() == 0


def test_an_orphan_is_kept_while_salesforce_is_unreachable_and_deleted_after_a_week(salesforce, orphan):
    salesforce.inject(Fault.no_name(), times=None)

    _age(LATER)
    assert delete_orphans() == 0
    assert delete_orphans() == 0, "the lock was released, so the next sweep tries again"

    _age(timedelta(days=7))
    assert delete_orphans() == 1


def test_an_orphan_that_never_rotated_is_deleted_without_revocation(owner, salesforce):
    url = an_org(salesforce).auth_url()
    salesforce.inject(Fault.hang(60, processed=False), path="/services/oauth2/token")
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    assert Credential.objects.count() == 1, "a response was lost: the token may have rotated"

    _age(LATER)
    assert delete_orphans() == 1

    assert salesforce.is_alive(url)


def test_a_fast_clock_of_this_machine_deletes_nothing(salesforce, orphan):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite uses the clock of the machine")

    with time_machine.travel(timezone.now() + timedelta(days=400)):
        assert delete_orphans() == 0

    assert salesforce.is_alive(orphan)


def test_a_sweep_deletes_the_oldest_orphans_first(salesforce, monkeypatch):
    monkeypatch.setattr("orgs.credentials.orphans.MAX_PER_SWEEP", 1)
    for days in range(2, 8):
        url = AuthUrl.parse(an_org(salesforce, f"ci{days}@acme.example").auth_url(), HostPolicy())
        made = credential_for(url)
        Credential.objects.filter(pk=made.pk).update(created_at=timezone.now() - timedelta(days=days))

    assert [delete_orphans() for _ in range(4)] == [1, 1, 1, 1]

    ages = [(timezone.now() - row.created_at).days for row in Credential.objects.all()]
    assert sorted(ages) == [2, 3]


def test_a_credential_with_an_org_is_kept(owner, salesforce):
    a_registered_org(owner, salesforce)

    with time_machine.travel(timezone.now() + LATER):
        assert delete_orphans() == 0

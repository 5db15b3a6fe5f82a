"""The refresh lock: acquired once per generation, released, renewed, run out, waited for."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from orgs.credentials import refresh_lock, single_flight
from orgs.credentials.models import Credential

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def _session_text(row: Credential) -> str:
    return Credential.objects.with_secrets().get(pk=row.pk).sealed_session.decrypt()


def test_a_held_lock_is_not_acquired_again(ci):
    row = Credential.objects.get()

    assert refresh_lock.acquire_for_refresh(row.pk, row.generation)
    assert not refresh_lock.acquire_for_refresh(row.pk, row.generation)


def test_a_lock_is_acquired_for_the_current_generation_only(ci):
    row = Credential.objects.get()

    assert not refresh_lock.acquire_for_refresh(row.pk, row.generation - 1)
    assert not refresh_lock.acquire_for_refresh(row.pk, row.generation + 1)


def test_a_lock_that_ran_out_is_acquired_again(ci):
    row = Credential.objects.get()
    refresh_lock.acquire_for_refresh(row.pk, row.generation)
    Credential.objects.update(locked_until=Now() - timedelta(seconds=1))

    assert refresh_lock.acquire_for_refresh(row.pk, row.generation)


def test_a_lock_that_ran_out_is_not_released_for_its_next_holder(ci):
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
        assert not refresh_lock.acquire_for_refresh(held.pk, held.generation), "its time restarted"

    assert refresh_lock.acquire_for_refresh(held.pk, held.generation)


def test_a_lock_that_another_process_holds_is_not_renewed(ci):
    held = Credential.objects.get()

    with refresh_lock.hold_locks() as locks:
        assert locks.acquire(held)
        Credential.objects.update(locked_until=Now() - timedelta(seconds=1))
        assert refresh_lock.acquire_for_refresh(held.pk, held.generation)

        assert not locks.renew(held)


def test_a_wait_ends_when_the_attempt_ends(ci):
    row = Credential.objects.get()
    assert refresh_lock.acquire_for_refresh(row.pk, row.generation)
    newest = _session_text(row)
    Credential.objects.update(generation=F("generation") + 1, locked_until=None, outcome="", sealed_session=newest)

    status = single_flight.wait_for_attempt(row.pk, row.generation, deadline=time.monotonic() + 1)

    assert status is not None
    assert status.generation == row.generation + 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no row locks")
@pytest.mark.django_db(transaction=True)
def test_a_row_that_another_transaction_has_locked_is_not_waited_for(ci):
    row = Credential.objects.get()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Credential.objects.select_for_update(of=("self",)).get(pk=row.pk)
        acquired = pool.submit(_acquire, row).result(timeout=30)

    assert acquired is None, "the statement waited until its time-out, or acquired the lock"


def _acquire(row: Credential) -> Credential | None:
    try:
        with transaction.atomic():
            return refresh_lock.acquire_for_refresh(row.pk, row.generation)
    finally:
        connection.close()

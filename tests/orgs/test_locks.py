"""Org writes lock rows in the same order as the credential engine: a credential, then its org."""

import threading
import time
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction

from orgs.credentials import outcome_storage
from orgs.credentials.envelopes import decrypt_grant
from orgs.credentials.models import Credential
from orgs.credentials.outcomes import Refreshed
from orgs.locks import org_write_transaction
from orgs.models import SalesforceOrg
from orgs.salesforce import Session
from orgs.salesforce.emulator import Fault
from tests.orgs.factories import ORG, REGISTER, TEST_CONNECTION, a_registered_org, an_org, register

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
CI = {"username": "ci@acme.example"}
MOVED = Session("00D!moved", "https://moved.my.salesforce.com", "00D" + "m" * 15, "005" + "m" * 15)


class LateOutcome(threading.Thread):
    """Locks a credential, waits until another transaction waits for a lock, then writes an outcome and its org."""

    def __init__(self, username: str) -> None:
        super().__init__()
        self.username = username
        self.locked = threading.Event()
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            with transaction.atomic():
                at = Credential.objects.get(org__username=self.username)
                row = outcome_storage.row_to_commit(at.pk, at.generation)
                assert row is not None
                self.locked.set()
                self._wait_for_a_waiter()
                outcome_storage.write(row, Refreshed(MOVED, decrypt_grant(row).auth_url))
        except OperationalError as error:
            self.error = error
        finally:
            self.locked.set()
            connection.close()

    def _wait_for_a_waiter(self) -> None:
        until = time.monotonic() + 5
        with connection.cursor() as cursor:
            while time.monotonic() < until:
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()")
                if cursor.fetchone()[0]:
                    return
                time.sleep(0.02)


@pytest.fixture
def late_outcome(transactional_db) -> Callable[..., LateOutcome]:
    """Return a function that starts a LateOutcome and waits until it has locked its credential."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")

    def start(username: str = "ci@acme.example") -> LateOutcome:
        late = LateOutcome(username)
        late.start()
        assert late.locked.wait(10)
        return late

    return start


def _during(salesforce, start: Callable[..., LateOutcome], *, path: str, host: str | None = None) -> list[LateOutcome]:
    """Start a LateOutcome during a call to Salesforce. The returned list contains it after the call."""
    started: list[LateOutcome] = []

    def start_and_pass(response):
        started.append(start())
        return response

    salesforce.inject(Fault("an outcome comes late", True, start_and_pass), path=path, host=host)
    return started


def _no_deadlock(*late: LateOutcome) -> bool:
    for each in late:
        each.join(20)
    return [each.error for each in late] == [None]


def test_registering_again_does_not_deadlock(owner, salesforce, late_outcome):
    org = a_registered_org(owner, salesforce)
    late = _during(salesforce, late_outcome, path="/services/data")

    response = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    assert response.status_code == 201, response
    assert _no_deadlock(*late)


def test_registering_with_another_auth_url_does_not_deadlock(owner, salesforce, late_outcome):
    org = a_registered_org(owner, salesforce)
    other = org.auth_url(salesforce.add_app("Other"))
    late = late_outcome()

    response = owner.post(REGISTER, {"sfdxAuthUrl": other})

    assert response.status_code == 201, response
    assert _no_deadlock(late)


def test_registering_another_auth_url_without_validation_does_not_deadlock(owner, salesforce, settings, late_outcome):
    settings.ALLOW_SKIP_VALIDATION = True
    org = an_org(salesforce)
    owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), "skipValidation": True, **CI})
    other = org.auth_url(salesforce.add_app("Other"))
    late = late_outcome()

    response = owner.post(REGISTER, {"sfdxAuthUrl": other, "skipValidation": True, **CI})

    assert response.status_code == 201, response
    assert _no_deadlock(late)


def test_verifying_does_not_deadlock(owner, salesforce, settings, late_outcome):
    settings.ALLOW_SKIP_VALIDATION = True
    owner.post(REGISTER, {"sfdxAuthUrl": an_org(salesforce).auth_url(), "skipValidation": True, **CI})
    late = _during(salesforce, late_outcome, path="/services/data")

    response = owner.post(TEST_CONNECTION, **CI)

    assert response.status_code == 200, response
    assert _no_deadlock(*late)


def test_deleting_does_not_deadlock(owner, salesforce, late_outcome):
    parent = a_registered_org(owner, salesforce)
    child = salesforce.add_sandbox(parent, "dev1")
    register(owner, child)
    stored = SalesforceOrg.objects.get(**CI)
    SalesforceOrg.objects.filter(username=child.username).update(parent=stored, is_jit_registration=True)
    started = _during(
        salesforce, lambda: late_outcome(child.username), path="/services/oauth2/revoke", host=parent.host
    )

    response = owner.delete(ORG, cascade="true", revoke="true", **CI)

    assert response.status_code == 200, response
    assert _no_deadlock(*started)


def test_an_org_write_waits_for_another_longer_than_the_lock_timeout(owner, salesforce):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    begun, writing = threading.Event(), settings.DATABASE_LOCK_TIMEOUT_SECONDS + 0.5

    def hold() -> None:
        with org_write_transaction():
            begun.set()
            time.sleep(writing)
        connection.close()

    url = an_org(salesforce, "new@acme.example").auth_url()
    before = threading.Thread(target=hold)
    before.start()
    assert begun.wait(10)

    response = owner.post(REGISTER, {"sfdxAuthUrl": url})

    before.join(10)
    assert response.status_code == 201, response
    with org_write_transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        assert cursor.fetchone()[0] == "1200ms"

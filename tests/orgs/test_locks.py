"""Writers of orgs take their locks in the order of the credential engine: a credential, then its org."""

import threading
import time
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction

from orgs.credentials import outcomes
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
    """Locks a credential's row, waits until somebody waits for a lock, then writes an outcome and its org."""

    def __init__(self, username: str) -> None:
        super().__init__()
        self.username = username
        self.locked = threading.Event()
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            with transaction.atomic():
                at = Credential.objects.get(org__username=self.username)
                row = outcomes.row_to_commit(at.pk, at.generation)
                self.locked.set()
                self._wait_for_a_waiter()
                outcomes.write(row, Refreshed(MOVED, decrypt_grant(row).auth_url))
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
    """Return what starts one, and returns when it has its lock."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite lets one writer in at a time")

    def start(username: str = "ci@acme.example") -> LateOutcome:
        late = LateOutcome(username)
        late.start()
        assert late.locked.wait(10)
        return late

    return start


def _during(salesforce, start: Callable[..., LateOutcome], *, path: str, host: str | None = None) -> list[LateOutcome]:
    """Let an outcome come late while Salesforce answers a call; it is in the list that this returns."""
    started: list[LateOutcome] = []

    def and_start(response):
        started.append(start())
        return response

    salesforce.inject(Fault("an outcome comes late", True, and_start), path=path, host=host)
    return started


def _no_deadlock(*late: LateOutcome) -> bool:
    for each in late:
        each.join(20)
    return [each.error for each in late] == [None]


def test_registering_anew(owner, salesforce, late_outcome):
    org = a_registered_org(owner, salesforce)
    late = _during(salesforce, late_outcome, path="/services/data")

    answer = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    assert answer.status_code == 201, answer
    assert _no_deadlock(*late)


def test_registering_with_another_auth_url(owner, salesforce, late_outcome):
    org = a_registered_org(owner, salesforce)
    other = org.auth_url(salesforce.add_app("Other"))
    late = late_outcome()

    answer = owner.post(REGISTER, {"sfdxAuthUrl": other})

    assert answer.status_code == 201, answer
    assert _no_deadlock(late)


def test_registering_without_validation_with_another_auth_url(owner, salesforce, settings, late_outcome):
    settings.ALLOW_SKIP_VALIDATION = True
    org = an_org(salesforce)
    owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), "skipValidation": True, **CI})
    other = org.auth_url(salesforce.add_app("Other"))
    late = late_outcome()

    answer = owner.post(REGISTER, {"sfdxAuthUrl": other, "skipValidation": True, **CI})

    assert answer.status_code == 201, answer
    assert _no_deadlock(late)


def test_verifying(owner, salesforce, settings, late_outcome):
    settings.ALLOW_SKIP_VALIDATION = True
    owner.post(REGISTER, {"sfdxAuthUrl": an_org(salesforce).auth_url(), "skipValidation": True, **CI})
    late = _during(salesforce, late_outcome, path="/services/data")

    answer = owner.post(TEST_CONNECTION, **CI)

    assert answer.status_code == 200, answer
    assert _no_deadlock(*late)


def test_deleting(owner, salesforce, late_outcome):
    parent = a_registered_org(owner, salesforce)
    child = salesforce.add_sandbox(parent, "dev1")
    register(owner, child)
    stored = SalesforceOrg.objects.get(**CI)
    SalesforceOrg.objects.filter(username=child.username).update(parent=stored, is_jit_registration=True)
    started = _during(
        salesforce, lambda: late_outcome(child.username), path="/services/oauth2/revoke", host=parent.host
    )

    answer = owner.delete(ORG, cascade="true", revoke="true", **CI)

    assert answer.status_code == 200, answer
    assert _no_deadlock(*started)


def test_a_writer_of_orgs_waits_its_turn_longer_than_for_any_lock(owner, salesforce):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite lets one writer in at a time")
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

    answer = owner.post(REGISTER, {"sfdxAuthUrl": url})

    before.join(10)
    assert answer.status_code == 201, answer
    with org_write_transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        assert cursor.fetchone()[0] == "1200ms"

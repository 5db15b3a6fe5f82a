"""A registration gives a credential another owner while a refresh of it ends, or while orgs are listed."""

import threading
import time
from dataclasses import replace

import pytest
from django.db import connection, transaction

from authn.audit import Action
from authn.models import AuditEvent
from authn.principals import system
from authn.roles import Role
from orgs.credential_ownership import link_credential
from orgs.credential_release import auth_urls
from orgs.credentials import outcome_storage
from orgs.credentials.envelopes import decrypt_grant, decrypt_session
from orgs.credentials.models import Credential
from orgs.credentials.outcomes import Refreshed
from orgs.models import SalesforceOrg

_MOVED = "https://moved.my.salesforce.com"


@pytest.fixture
def renamed(ci) -> SalesforceOrg:
    """The row to which the credential of `ci` moves."""
    org = SalesforceOrg.objects.get()
    return SalesforceOrg.objects.create(username="b@acme.example", instance_url=org.instance_url, org_id=org.org_id)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one transaction write at a time")
@pytest.mark.django_db(transaction=True)
def test_a_moved_org_is_stored_for_the_new_owner(renamed):
    former = SalesforceOrg.objects.get(username="ci@acme.example")
    stored = Credential.objects.with_secrets().get()
    session = decrypt_session(stored)
    assert session is not None
    outcome = Refreshed(replace(session, instance_url=_MOVED), decrypt_grant(stored).auth_url)
    waiting = threading.Event()

    def end_attempt() -> None:
        try:
            with transaction.atomic():
                waiting.set()
                row = outcome_storage.row_to_commit(stored.pk, stored.generation)
                assert row is not None
                outcome_storage.write(row, outcome)
        finally:
            connection.close()

    attempt = threading.Thread(target=end_attempt)
    with transaction.atomic():
        credential = Credential.objects.select_for_update(of=("self",)).get(pk=stored.pk)
        attempt.start()
        assert waiting.wait(5)
        time.sleep(0.5)  # The attempt waits for the locked row.
        link_credential(renamed, credential)
    attempt.join()

    assert SalesforceOrg.objects.get(pk=renamed.pk).instance_url == _MOVED
    assert SalesforceOrg.objects.get(pk=former.pk).instance_url == former.instance_url
    assert AuditEvent.objects.get(action=Action.ORG_MOVED).org_username == renamed.username


@pytest.mark.django_db
def test_no_auth_url_is_released_under_the_name_of_the_former_owner(renamed, settings):
    settings.ALLOW_AUTH_URL_RELEASE = True
    Credential.objects.update(rotates=False)
    listed = SalesforceOrg.objects.with_related().get(username="ci@acme.example")
    with transaction.atomic():
        link_credential(renamed, Credential.objects.get())

    released = auth_urls([listed], by=replace(system("tests"), role=Role.OWNER))

    assert released == {}
    assert not AuditEvent.objects.filter(action=Action.AUTH_URL).exists()

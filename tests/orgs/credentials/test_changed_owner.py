"""A registration gives a credential another owner while a refresh of it ends, or while orgs are listed."""

import threading
import time
from dataclasses import replace

import pytest
from django.db import connection, transaction

from authn.audit import Action, org_named
from authn.models import AuditEvent
from authn.principals import system
from authn.roles import Role
from orgs.credential_ownership import link_credential
from orgs.credential_release import auth_urls
from orgs.credentials import attempts, outcome_storage
from orgs.credentials.envelopes import decrypt_grant, decrypt_session
from orgs.credentials.errors import CredentialTampered
from orgs.credentials.models import Credential
from orgs.credentials.outcomes import Refreshed
from orgs.credentials.session_request import SessionRequest
from orgs.models import SalesforceOrg
from tests.orgs.factories import ACCESS_TOKEN

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
    assert AuditEvent.objects.get(action=Action.ORG_MOVED).target_label == renamed.username


@pytest.mark.django_db
def test_a_session_is_bound_to_the_user_that_a_registration_stored_meanwhile(renamed):
    request = SessionRequest(by=system("tests"), target=org_named("ci@acme.example"))
    attempt = attempts.acquire(Credential.objects.with_owners().get(), request)
    assert attempt is not None

    with attempt.spool:
        outcome = attempts.send(attempt)
        with transaction.atomic():
            link_credential(renamed, Credential.objects.get())
        assert attempts.commit(attempt, outcome, request)

    stored = Credential.objects.with_secrets().get()
    assert stored.owner == renamed
    assert decrypt_session(stored) == outcome.session
    assert decrypt_grant(stored).binding.username == "b@acme.example"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one transaction write at a time")
@pytest.mark.django_db(transaction=True)
def test_a_commit_that_waits_for_a_registration_binds_the_session_to_its_user(renamed):
    request = SessionRequest(by=system("tests"), target=org_named("ci@acme.example"))
    attempt = attempts.acquire(Credential.objects.with_owners().get(), request)
    assert attempt is not None
    committed: list[bool] = []
    waiting = threading.Event()

    with attempt.spool:
        outcome = attempts.send(attempt)

        def end_attempt() -> None:
            try:
                waiting.set()
                committed.append(attempts.commit(attempt, outcome, request))
            finally:
                connection.close()

        ending = threading.Thread(target=end_attempt)
        with transaction.atomic():
            credential = Credential.objects.select_for_update(of=("self",)).get()
            ending.start()
            assert waiting.wait(5)
            time.sleep(0.5)  # The commit waits for the locked row.
            link_credential(renamed, credential)
        ending.join()

    stored = Credential.objects.with_secrets().get()
    assert committed == [True]
    assert stored.owner == renamed
    assert decrypt_session(stored) == outcome.session
    assert decrypt_grant(stored).binding.username == "b@acme.example"


@pytest.mark.django_db
def test_a_grant_is_checked_against_the_owner_that_a_registration_stored_meanwhile(renamed):
    read_before = Credential.objects.with_owners().get()
    with transaction.atomic():
        link_credential(renamed, Credential.objects.get())

    attempt = attempts.acquire(read_before, SessionRequest(by=system("tests"), target=org_named("ci@acme.example")))

    assert attempt is not None
    with attempt.spool:
        assert attempt.row.owner == renamed


@pytest.mark.django_db
def test_a_grant_that_fits_no_owner_is_refused(renamed):
    SalesforceOrg.objects.filter(username="ci@acme.example").update(org_id="00D000000000001EAA")

    with pytest.raises(CredentialTampered):
        attempts.acquire(
            Credential.objects.with_owners().get(),
            SessionRequest(by=system("tests"), target=org_named("ci@acme.example")),
        )


@pytest.mark.django_db
def test_a_refresh_without_a_new_token_does_not_write_the_grant_again(owner, ci):
    before = Credential.objects.with_secrets().get()

    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200

    after = Credential.objects.with_secrets().get()
    assert after.sealed_grant.ciphertext == before.sealed_grant.ciphertext
    assert after.sealed_session.ciphertext != before.sealed_session.ciphertext


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

"""Concurrent callers: one row, one default, one refresh."""

import threading
import time
from dataclasses import replace
from functools import partial

import pytest
from django.db import transaction

from orgs.credential_ownership import bind
from orgs.credentials import outcome_storage, outcomes
from orgs.credentials.envelopes import decrypt_grant
from orgs.credentials.models import Credential, KnownToken
from orgs.locks import org_write_transaction
from orgs.models import SalesforceOrg
from tests.orgs.factories import ACCESS_TOKEN, ORG, REGISTER, a_registered_org, an_org
from tests.support.api_client import Caller
from tests.support.concurrency import run_together, wait_until

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def _statuses(responses) -> dict[int, int]:
    counted: dict[int, int] = {}
    for response in responses:
        counted[response.status_code] = counted.get(response.status_code, 0) + 1
    return counted


@pytest.mark.parametrize("rotates", [False, True], ids=["not rotating", "rotating"])
def test_concurrent_registrations_of_a_new_username_store_one_org(owner, salesforce, rotates):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=rotates)
    salesforce.token_latency = 0.05
    url = an_org(salesforce).auth_url(app)
    callers = [Caller(owner.bearer) for _ in range(16)]

    responses = run_together([partial(caller.post, REGISTER, {"sfdxAuthUrl": url}) for caller in callers])

    assert _statuses(responses) == {201: 16}, [response for response in responses if response.status_code != 201]
    assert SalesforceOrg.objects.count() == 1
    assert Credential.objects.count() == 1
    assert salesforce.is_alive(url)
    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200


def test_concurrent_registrations_with_different_auth_urls_store_one_org(owner, salesforce):
    org = an_org(salesforce)
    apps = [salesforce.add_app(f"App{number}") for number in range(16)]
    urls = [org.auth_url(app) for app in apps]
    callers = [Caller(owner.bearer) for _ in urls]

    responses = run_together(
        [partial(caller.post, REGISTER, {"sfdxAuthUrl": url}) for caller, url in zip(callers, urls, strict=True)]
    )

    assert _statuses(responses) == {201: 16}, [response for response in responses if response.status_code != 201]
    assert SalesforceOrg.objects.count() == 1
    assert Credential.objects.count() == 1
    assert KnownToken.objects.count() == 1


def test_concurrent_callers_leave_one_default(owner, salesforce):
    names = [f"hub{number}@acme.example" for number in range(8)]
    for name in names:
        a_registered_org(owner, salesforce, name, isDevHub=True)
    callers = [Caller(owner.bearer) for _ in names]

    for _ in range(50):
        responses = run_together(
            [
                partial(caller.patch, ORG, {"isDefault": True}, username=name)
                for caller, name in zip(callers, names, strict=True)
            ]
        )

        assert _statuses(responses) == {200: 8}
        assert SalesforceOrg.objects.filter(is_default=True).count() == 1


def test_a_default_is_set_while_dev_hubs_are_unmarked_and_deleted(owner, salesforce):
    names = [f"hub{number}@acme.example" for number in range(6)]
    for name in names:
        a_registered_org(owner, salesforce, name, isDevHub=True)
    requests = []
    for number, name in enumerate(names):
        caller = Caller(owner.bearer)
        requests.append(
            [
                partial(caller.patch, ORG, {"isDefault": True}, username=name),
                partial(caller.patch, ORG, {"isDevHub": False}, username=name),
                partial(caller.delete, ORG, username=name),
            ][number % 3]
        )

    responses = run_together(requests)

    assert set(_statuses(responses)) <= {200, 404}
    assert SalesforceOrg.objects.filter(is_default=True).count() <= 1


@pytest.mark.parametrize("rotates", [False, True], ids=["not rotating", "rotating"])
def test_concurrent_callers_share_a_refresh(owner, salesforce, rotates):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=rotates)
    org = an_org(salesforce)
    url = org.auth_url(app)
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    salesforce.token_latency = 0.3
    salesforce.reset_calls()
    callers = [Caller(owner.bearer) for _ in range(24)]

    responses = run_together([partial(caller.post, ACCESS_TOKEN, username=org.username) for caller in callers])

    assert _statuses(responses) == {200: 24}, [response for response in responses if response.status_code != 200]
    assert salesforce.refreshes() <= 2
    assert salesforce.is_alive(url)
    assert all(salesforce.sessions[response.json()["accessToken"]].alive for response in responses)


def test_concurrent_registrations_and_deletions_leave_all_or_nothing(owner, salesforce):
    org = a_registered_org(owner, salesforce)
    urls = [org.auth_url() for _ in range(4)]
    requests = [partial(Caller(owner.bearer).post, REGISTER, {"sfdxAuthUrl": url}) for url in urls]
    requests += [partial(Caller(owner.bearer).delete, ORG, username=org.username) for _ in range(4)]

    responses = run_together(requests)

    assert set(_statuses(responses)) <= {200, 201, 404}, responses
    assert SalesforceOrg.objects.count() == Credential.objects.filter(org__isnull=False).count()


def test_binding_a_credential_does_not_undo_a_concurrent_refresh(owner, salesforce):
    org = a_registered_org(owner, salesforce)
    row = SalesforceOrg.objects.get()
    credential = Credential.objects.with_secrets().get()
    newest = replace(decrypt_grant(credential).auth_url, refresh_token="5Aep861newest")
    written = threading.Event()

    def refresh() -> None:
        with transaction.atomic():
            locked = outcome_storage.row_to_commit(credential.pk, credential.generation)
            assert locked
            outcome_storage.write(locked, outcomes.Failed("UPSTREAM_UNREADABLE", new_auth_url=newest))
            written.set()
            time.sleep(0.5)

    def bind_again() -> None:
        written.wait(10)
        with org_write_transaction():
            bind(credential, row)

    run_together([refresh, bind_again])

    assert decrypt_grant(Credential.objects.with_secrets().get()).auth_url.refresh_token == "5Aep861newest"
    assert org.username == row.username


def test_deleting_waits_for_a_running_refresh(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    url = an_org(salesforce).auth_url(app)
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    salesforce.token_latency = 1.0

    def delete_and_register_again() -> int:
        wait_until(lambda: any(grant.busy for grant in salesforce.grants))
        other = Caller(owner.bearer)
        other.delete(ORG, username="ci@acme.example")
        return other.post(REGISTER, {"sfdxAuthUrl": url}).status_code

    refreshed, registered = run_together(
        [lambda: owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code, delete_and_register_again]
    )

    # The rotated token was deleted with the org, so the old auth URL is refused. No two refreshes overlapped.
    assert refreshed == 200
    assert registered == 400
    calls = sorted(salesforce.calls_to(path="/services/oauth2/token"), key=lambda call: call.started_at)
    assert all(one.finished_at <= two.started_at for one, two in zip(calls, calls[1:], strict=False))

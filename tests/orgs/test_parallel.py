"""Callers who come at once: one row, one default, one refresh. On both databases."""

import threading
import time
from dataclasses import replace
from functools import partial

import pytest
from django.db import transaction

from orgs.credential_ownership import bind
from orgs.credentials import outcomes
from orgs.credentials.envelopes import decrypt_grant
from orgs.credentials.models import Credential, KnownToken
from orgs.locks import org_write_transaction
from orgs.models import SalesforceOrg
from tests.orgs.factories import ACCESS_TOKEN, ORG, REGISTER, a_registered_org, an_org
from tests.support.api_client import Caller
from tests.support.concurrency import run_together

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def _statuses(answers) -> dict[int, int]:
    counted: dict[int, int] = {}
    for answer in answers:
        counted[answer.status_code] = counted.get(answer.status_code, 0) + 1
    return counted


@pytest.mark.parametrize("rotates", [False, True], ids=["not rotating", "rotating"])
def test_sixteen_registrations_of_one_new_username(owner, salesforce, rotates):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=rotates)
    salesforce.token_latency = 0.05
    url = an_org(salesforce).auth_url(app)
    callers = [Caller(owner.bearer) for _ in range(16)]

    answers = run_together([partial(caller.post, REGISTER, {"sfdxAuthUrl": url}) for caller in callers])

    assert _statuses(answers) == {201: 16}, [answer for answer in answers if answer.status_code != 201]
    assert SalesforceOrg.objects.count() == 1
    assert Credential.objects.count() == 1
    assert salesforce.is_alive(url)
    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200


def test_sixteen_registrations_of_one_username_with_an_auth_url_each(owner, salesforce):
    org = an_org(salesforce)
    apps = [salesforce.add_app(f"App{number}") for number in range(16)]
    urls = [org.auth_url(app) for app in apps]
    callers = [Caller(owner.bearer) for _ in urls]

    answers = run_together(
        [partial(caller.post, REGISTER, {"sfdxAuthUrl": url}) for caller, url in zip(callers, urls, strict=True)]
    )

    assert _statuses(answers) == {201: 16}, [answer for answer in answers if answer.status_code != 201]
    assert SalesforceOrg.objects.count() == 1
    assert Credential.objects.count() == 1
    assert KnownToken.objects.count() == 1


def test_eight_callers_set_the_default_fifty_times(owner, salesforce):
    names = [f"hub{number}@acme.example" for number in range(8)]
    for name in names:
        a_registered_org(owner, salesforce, name, isDevHub=True)
    callers = [Caller(owner.bearer) for _ in names]

    for _ in range(50):
        answers = run_together(
            [
                partial(caller.patch, ORG, {"isDefault": True}, username=name)
                for caller, name in zip(callers, names, strict=True)
            ]
        )

        assert _statuses(answers) == {200: 8}
        assert SalesforceOrg.objects.filter(is_default=True).count() == 1


def test_a_default_is_set_while_dev_hubs_are_taken_back_and_deleted(owner, salesforce):
    names = [f"hub{number}@acme.example" for number in range(6)]
    for name in names:
        a_registered_org(owner, salesforce, name, isDevHub=True)
    deeds = []
    for number, name in enumerate(names):
        caller = Caller(owner.bearer)
        deeds.append(
            [
                partial(caller.patch, ORG, {"isDefault": True}, username=name),
                partial(caller.patch, ORG, {"isDevHub": False}, username=name),
                partial(caller.delete, ORG, username=name),
            ][number % 3]
        )

    answers = run_together(deeds)

    assert set(_statuses(answers)) <= {200, 404}
    assert SalesforceOrg.objects.filter(is_default=True).count() <= 1


@pytest.mark.parametrize("rotates", [False, True], ids=["not rotating", "rotating"])
def test_callers_who_wait_together_share_a_refresh(owner, salesforce, rotates):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=rotates)
    org = an_org(salesforce)
    url = org.auth_url(app)
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    salesforce.token_latency = 0.3
    salesforce.reset_calls()
    callers = [Caller(owner.bearer) for _ in range(24)]

    answers = run_together([partial(caller.post, ACCESS_TOKEN, username=org.username) for caller in callers])

    assert _statuses(answers) == {200: 24}, [answer for answer in answers if answer.status_code != 200]
    assert salesforce.refreshes() <= 2
    assert salesforce.is_alive(url)
    assert all(salesforce.sessions[answer.json()["accessToken"]].alive for answer in answers)


def test_registering_and_deleting_at_once_leaves_all_or_nothing(owner, salesforce):
    org = a_registered_org(owner, salesforce)
    urls = [org.auth_url() for _ in range(4)]
    deeds = [partial(Caller(owner.bearer).post, REGISTER, {"sfdxAuthUrl": url}) for url in urls]
    deeds += [partial(Caller(owner.bearer).delete, ORG, username=org.username) for _ in range(4)]

    answers = run_together(deeds)

    assert set(_statuses(answers)) <= {200, 201, 404}, answers
    assert SalesforceOrg.objects.count() == Credential.objects.filter(org__isnull=False).count()


def test_binding_a_credential_does_not_undo_a_refresh_that_ends_meanwhile(owner, salesforce):
    org = a_registered_org(owner, salesforce)
    row = SalesforceOrg.objects.get()
    credential = Credential.objects.with_secrets().get()
    newest = replace(decrypt_grant(credential).auth_url, refresh_token="5Aep861newest")
    written = threading.Event()

    def refresh() -> None:
        with transaction.atomic():
            held = outcomes.row_to_commit(credential.pk, credential.generation)
            assert held
            outcomes.write(held, outcomes.Failed("UPSTREAM_UNREADABLE", new_auth_url=newest))
            written.set()
            time.sleep(0.5)

    def bind_again() -> None:
        written.wait(10)
        with org_write_transaction():
            bind(credential, row)

    run_together([refresh, bind_again])

    assert decrypt_grant(Credential.objects.with_secrets().get()).auth_url.refresh_token == "5Aep861newest"
    assert org.username == row.username


def test_deleting_waits_for_a_refresh_that_is_under_way(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    url = an_org(salesforce).auth_url(app)
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    salesforce.token_latency = 1.0

    def delete_and_register_anew() -> int:
        time.sleep(0.4)
        other = Caller(owner.bearer)
        other.delete(ORG, username="ci@acme.example")
        return other.post(REGISTER, {"sfdxAuthUrl": url}).status_code

    minted, registered = run_together(
        [lambda: owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code, delete_and_register_anew]
    )

    # The desk has forgotten the rotated token with the org, so the old URL is dead; nothing overlapped.
    assert minted == 200
    assert registered == 400
    calls = sorted(salesforce.calls_to(path="/services/oauth2/token"), key=lambda call: call.started_at)
    assert all(one.finished_at <= two.started_at for one, two in zip(calls, calls[1:], strict=False))

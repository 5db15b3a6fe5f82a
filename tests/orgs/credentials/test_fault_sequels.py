"""What comes after a case: lost answers, refusals on record, the breaker, the budget, the spool.

The rows are in faults.py, the routes in routes.py.
"""

import os
import shutil
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models import F
from django.db.models.functions import Now

from authn.models import AuditEvent
from orgs.credentials.concurrency import salesforce_slot
from orgs.credentials.models import Credential
from orgs.credentials.spool import node_id
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Fault
from tests.orgs.credentials.disk_faults import no_space
from tests.orgs.credentials.faults import (
    BUSY,
    DEFINITE,
    LIMITED,
    LOST,
    LOST_AND_PROCESSED,
    NEVER_SENT,
    PAGES,
    TOKEN_PATH,
    UNREADABLE,
    WRONG_FIELDS,
    FaultCase,
)
from tests.orgs.credentials.routes import (
    ASKING_AGAIN,
    AUTH_URL,
    FRONT_DOOR,
    HANDING_OUT,
    KNOWN_ORG,
    NEW_ORG,
    OF_KNOWN_ORG,
    REVOKE,
    TEST,
    TOKEN,
    calls,
    cells,
    health_of,
    shows_no_secret,
)

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def rotating(owner, salesforce, urls):
    """Let the hub's app rotate, and the desk know it; return the auth URLs."""
    salesforce.apps["AcmeCI"].rotates = True
    assert TOKEN.ask(owner, urls).status_code == 200
    salesforce.reset_calls()
    return urls


# --- A lost answer -----------------------------------------------------------------------------------


def test_a_rotating_token_that_was_lost_is_told_at_the_next_use(owner, member, salesforce, rotating, each):
    others = [(LOST[2], route) for route in OF_KNOWN_ORG if route != TOKEN]
    for lost, route in [*((lost, TOKEN) for lost in LOST_AND_PROCESSED), *others]:
        with each(f"{lost.id} {route.id}"):
            salesforce.inject(lost.fault, path=TOKEN_PATH)
            TOKEN.ask(owner, rotating)
            assert (health_of(member)[0], calls(salesforce)) == ("uncertain", (1, 0)), "nothing is sent twice"

            answer = route.ask(owner, rotating)

            case = FaultCase("lost", lost.fault, 409, "LOST_ANSWER")
            assert route.read(answer) == route.told(case), answer
            assert health_of(member) == ("expired", "LOST_ANSWER")
            assert calls(salesforce) == (2, 0)
            assert AuditEvent.objects.filter(action="credential.refresh_ended", code="LOST_ANSWER").count() == 1
            assert shows_no_secret(answer, salesforce)


def test_a_rotating_token_may_have_been_in_what_cannot_be_read(owner, member, salesforce, rotating, each):
    for garbled in UNREADABLE:
        with each(garbled.id):
            salesforce.inject(garbled.fault, path=TOKEN_PATH)
            first = TOKEN.ask(owner, rotating)
            between = health_of(member)

            second = TOKEN.ask(owner, rotating)

            assert TOKEN.read(first)[:2] == (502, "UPSTREAM_UNREADABLE")
            assert between == ("uncertain", "UPSTREAM_UNREADABLE")
            assert TOKEN.read(second)[:2] == (409, "LOST_ANSWER")


def test_a_token_that_does_not_rotate_survives_a_lost_answer(owner, member, salesforce, urls, each):
    for lost in LOST_AND_PROCESSED:
        with each(lost.id):
            salesforce.inject(lost.fault, path=TOKEN_PATH)
            TOKEN.ask(owner, urls)

            answer = TOKEN.ask(owner, urls)

            assert answer.status_code == 200, answer
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (2, 0)


def test_a_rotating_token_survives_when_salesforce_had_not_acted(owner, member, salesforce, rotating, each):
    for lost in LOST[:2]:
        with each(lost.id):
            salesforce.inject(lost.fault, path=TOKEN_PATH)
            TOKEN.ask(owner, rotating)

            answer = TOKEN.ask(owner, rotating)

            assert answer.status_code == 200, answer
            assert health_of(member) == ("healthy", None)


def test_a_registration_whose_answer_was_lost_tells_so_when_it_is_tried_again(owner, salesforce, urls, each):
    for lost in LOST_AND_PROCESSED:
        with each(lost.id):
            salesforce.apps["AcmeCI"].rotates = True
            salesforce.inject(lost.fault, path=TOKEN_PATH)
            NEW_ORG.ask(owner, urls)

            answer = NEW_ORG.ask(owner, urls)

            assert NEW_ORG.read(answer) == (400, "LOST_ANSWER", None), answer
            assert SalesforceOrg.objects.count() == 1, "the hub alone"


def test_the_next_refresh_token_is_kept_whatever_else_is_wrong_with_the_answer(owner, salesforce, rotating, each):
    for wrong in WRONG_FIELDS:
        with each(wrong.id):
            salesforce.inject(wrong.fault, path=TOKEN_PATH)
            first = TOKEN.ask(owner, rotating)

            second = TOKEN.ask(owner, rotating)

            assert first.status_code == 502
            assert second.status_code == 200, second
            assert salesforce.is_alive(rotating["hub"])


# --- A definite refusal on record --------------------------------------------------------------------


def test_a_definite_refusal_is_answered_without_a_call(owner, member, salesforce, urls, each):
    for case, route in cells(DEFINITE, [*HANDING_OUT, FRONT_DOOR, AUTH_URL]):
        with each(f"{case.id} {route.id}"):
            salesforce.inject(case.fault, path=TOKEN_PATH)
            TOKEN.ask(owner, urls)
            salesforce.reset_calls()

            answer = route.ask(owner, urls)

            assert route.read(answer) == route.told(case), answer
            assert health_of(member) == ("expired", case.code)
            assert calls(salesforce) == (0, 0)
            assert shows_no_secret(answer, salesforce)


def test_a_definite_refusal_is_healed_by_asking_again(owner, member, salesforce, urls, each):
    for case, route in cells(DEFINITE, ASKING_AGAIN):
        with each(f"{case.id} {route.id}"):
            salesforce.inject(case.fault, path=TOKEN_PATH)
            TOKEN.ask(owner, urls)

            answer = route.ask(owner, urls)

            assert answer.status_code == (200 if route is TEST else 201), answer
            assert health_of(member) == ("healthy", None)
            assert TOKEN.ask(owner, urls).status_code == 200


def test_a_lost_answer_is_healed_by_a_new_auth_url(owner, member, salesforce, rotating, hub):
    salesforce.inject(Fault.reset(), path=TOKEN_PATH)
    TOKEN.ask(owner, rotating)
    TOKEN.ask(owner, rotating)

    answer = KNOWN_ORG.ask(owner, {"hub": hub.auth_url(salesforce.apps["AcmeCI"])})

    assert answer.status_code == 201
    assert health_of(member) == ("healthy", None)
    assert TOKEN.ask(owner, rotating).status_code == 200


# --- The desk itself does not ask --------------------------------------------------------------------


def _trip_the_breaker() -> None:
    Credential.objects.update(paused_until=Now() + timedelta(seconds=30))


@pytest.fixture
def no_place(urls, settings) -> Iterator[None]:
    """Occupy both slots that four threads have, with calls to two other orgs."""
    settings.WEB_THREADS, settings.SALESFORCE_TIMEOUT_SECONDS, settings.REFRESH_LOCK_SECONDS = 4, 1.0, 1.5
    with salesforce_slot(uuid.uuid4()), salesforce_slot(uuid.uuid4()):
        yield


@pytest.fixture(params=["not-a-directory", "full", "gone"])
def no_spool(request, urls, settings, tmp_path: Path, monkeypatch) -> None:
    """Take the room for answers away, in one of three ways."""
    settings.SPOOL_DIR = str(tmp_path / "spool")
    if request.param == "not-a-directory":
        (tmp_path / "spool").write_text("")
    elif request.param == "full":
        monkeypatch.setattr(os, "posix_fallocate", no_space)
    else:
        node_id()
        shutil.rmtree(tmp_path / "spool")


NO_SPOOL = FaultCase("no-spool", BUSY, 503, "SPOOL_UNAVAILABLE", "30", None, 0)
NO_PLACE = FaultCase("no-place", BUSY, 503, "UPSTREAM_BUSY", "1", None, 0)


def test_without_room_for_the_answer_nothing_is_sent(owner, member, salesforce, urls, no_spool, each):
    for route in [NEW_ORG, *OF_KNOWN_ORG]:
        with each(route.id):
            answer = route.ask(owner, urls)

            assert route.read(answer) == route.told(NO_SPOOL), answer
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (0, 0)
            assert Credential.objects.filter(locked_until=None, sent_at=None).count() == 1


def test_without_room_a_lost_answer_is_not_asked_for_again(owner, member, salesforce, rotating, no_spool):
    Credential.objects.update(health="uncertain", reason="UPSTREAM_LOST", sent_at=Now(), sent_by=uuid.uuid4())

    answer = TOKEN.ask(owner, rotating)

    assert answer.status_code == 503, answer
    assert calls(salesforce) == (0, 0)


def test_without_a_place_upstream_nothing_is_sent(owner, member, salesforce, urls, no_place, each):
    for route in [NEW_ORG, *OF_KNOWN_ORG, REVOKE]:
        with each(route.id):
            answer = route.ask(owner, urls)

            assert route.read(answer) == route.told(NO_PLACE), answer
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (0, 0)
            assert Credential.objects.filter(locked_until=None).count() == 1, "the lease was given back"


# --- The breaker -------------------------------------------------------------------------------------


def test_five_failures_open_the_breaker(owner, member, salesforce, urls, each):
    cases = [*PAGES, *LOST, *NEVER_SENT, *UNREADABLE]
    for case, _ in cells(cases, [TOKEN]):
        with each(case.id):
            end = salesforce.inject(case.fault, path=TOKEN_PATH, times=None)
            told = [TOKEN.read(TOKEN.ask(owner, urls))[1] for _ in range(5)]
            end()
            salesforce.reset_calls()

            paused = TOKEN.ask(owner, urls)
            calls_while_paused = calls(salesforce)
            Credential.objects.update(paused_until=F("paused_until") - timedelta(seconds=30))
            afterwards = TOKEN.ask(owner, urls)

            assert "UPSTREAM_PAUSED" not in told
            assert TOKEN.read(paused)[:2] == (503, "UPSTREAM_PAUSED")
            assert 20 <= int(paused.headers["Retry-After"]) <= 30
            assert calls_while_paused == (0, 0)
            assert afterwards.status_code == 200, afterwards


def test_an_open_breaker_stops_every_route(owner, member, salesforce, urls, each):
    for route in OF_KNOWN_ORG:
        with each(route.id):
            _trip_the_breaker()

            answer = route.ask(owner, urls)

            status, code, retry_after = route.read(answer)
            assert (status, code) == route.told(FaultCase("paused", BUSY, 503, "UPSTREAM_PAUSED"))[:2]
            assert (retry_after is None) == (status == 200)
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (0, 0)
            assert shows_no_secret(answer, salesforce)


def test_a_limit_of_salesforce_does_not_open_the_breaker(owner, salesforce, urls, each):
    for case in LIMITED[:2]:
        with each(case.id):
            salesforce.inject(case.fault, path=TOKEN_PATH, times=6)

            told = [TOKEN.read(TOKEN.ask(owner, urls))[1] for _ in range(6)]

            assert told == [case.code] * 6


@pytest.mark.parametrize("between", ["a success", "a minute"])
def test_five_failures_with_something_between_do_not_open_the_breaker(owner, salesforce, urls, between):
    salesforce.inject(Fault.status(500), path=TOKEN_PATH, times=4)
    for _ in range(4):
        TOKEN.ask(owner, urls)
    if between == "a success":
        assert TOKEN.ask(owner, urls).status_code == 200
    Credential.objects.update(failures_since=F("failures_since") - timedelta(seconds=61))
    salesforce.inject(Fault.status(500), path=TOKEN_PATH)
    TOKEN.ask(owner, urls)

    assert TOKEN.ask(owner, urls).status_code == 200

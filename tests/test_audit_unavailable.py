"""While the audit trail cannot be written, every endpoint that writes responds with 503.

Nothing is issued, sent to Salesforce or changed."""

import time
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from authn import audit
from authn.errors import AuditUnavailable
from authn.models import AuditEvent
from authn.principals import system
from orgs.credentials.concurrency import salesforce_slot
from orgs.credentials.models import Credential
from orgs.salesforce.emulator import Emulator
from tests.audited_requests import API_ROUTES, CI, CONSOLE, PAGES, POOLS, SERVICESTACK, SF, Send, World, make_world
from tests.support.api_client import ApiResponse, Caller
from tests.support.audit_faults import rows_refused, ways

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
# Rows that every request may write. Wrong passwords count during an outage of the audit too, or passwords could be
# guessed without limit.
_EXCLUDED = {"authn.auditevent", "authn.loginattempts", "authn.addresstries"}


@pytest.fixture
def world(owner: Caller, member: Caller, application: Caller, salesforce: Emulator, a_person: Any) -> World:
    return make_world(owner, member, application, salesforce, a_person)


def _stored() -> dict[str, list[Any]]:
    """Return all rows of all tables except _EXCLUDED."""
    models = [each for each in apps.get_models() if each._meta.label_lower not in _EXCLUDED]
    return {each._meta.label: sorted(each._default_manager.values_list(), key=repr) for each in models}


def _readable(stored: dict[str, list[Any]]) -> str:
    return repr({label: rows for label, rows in stored.items() if rows})


def _expect_refused(world: World, send: Send) -> ApiResponse:
    audit.gate.reset()
    world.salesforce.reset_calls()
    before, began = _readable(_stored()), time.monotonic()

    response = send(world)

    assert response.status_code == 503, response
    assert response.headers["Retry-After"] == "5"
    assert time.monotonic() - began < 2.0
    assert world.salesforce.calls == [], "Salesforce was called"
    assert _readable(_stored()) == before
    assert not list(Path(settings.SPOOL_DIR).glob("*.spool"))
    return response


@pytest.mark.parametrize("way", ways(), ids=lambda way: way.__name__)
def test_no_route_issues_anything_while_the_audit_cannot_be_written(way, world, subtests):
    with way():
        for name, send in API_ROUTES.items():
            with subtests.test(route=name):
                assert _expect_refused(world, send).json()["code"] == "AUDIT_UNAVAILABLE"
        for name, send in SERVICESTACK.items():
            with subtests.test(service=name):
                response = _expect_refused(world, send).json()
                assert response["responseStatus"]["errorCode"] == "AUDIT_UNAVAILABLE"
        for name, send in PAGES.items():
            with subtests.test(page=name):
                response = _expect_refused(world, send)
                assert "The audit trail is unavailable" in response.text
                assert "Salesforce" not in response.text.partition("<main")[2]

    audit.gate.reset()
    assert API_ROUTES["token"](world).status_code == 200, "the desk works again"


@pytest.mark.parametrize("way", ways(), ids=lambda way: way.__name__)
def test_reads_succeed_while_the_audit_cannot_be_written(way, world):
    with way():
        for who in ("owner", "member", "application"):
            assert world.callers[who].get(f"{SF}/orgs").status_code == 200
            assert world.callers[who].get(POOLS).status_code == 200
        assert world.callers["member"].get(f"{SF}/org", **CI).status_code == 200
        for page in ("/", CONSOLE, "/console/authn/user/"):
            assert world.browser.get(page).status_code == 200


def test_every_call_to_salesforce_checks_the_audit_first(world):
    with rows_refused():
        credential = Credential.objects.get(org__pk=world.rows["org"])
        audit.forget_written()

        with pytest.raises(AuditUnavailable), salesforce_slot(credential.pk):
            pass


def test_the_check_leaves_no_row():
    before = AuditEvent.objects.count()

    audit.require_writable()

    assert AuditEvent.objects.count() == before


def test_the_check_makes_no_query_after_a_row_was_written(django_assert_num_queries):
    audit.record(audit.Action.REQUEST, audit.Outcome.REFUSED, by=system("tests"), target=None)

    with django_assert_num_queries(0):
        audit.require_writable()


def test_each_request_checks_the_audit_itself(world):
    audit.record(audit.Action.REQUEST, audit.Outcome.REFUSED, by=system("tests"), target=None)

    with rows_refused():
        response = API_ROUTES["sandbox"](world)

    assert response.json()["code"] == "AUDIT_UNAVAILABLE"


def test_the_error_says_what_to_do(world):
    with rows_refused():
        content = API_ROUTES["token"](world).json()

    assert "audit" in content["message"]
    assert "operator" in content["action"]
    assert connection.vendor not in content["message"]

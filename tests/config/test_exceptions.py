"""Failures that nobody foresaw, and refusals of Django itself, have the same body as all others."""

import pytest
from django.db import OperationalError

from authn.errors import DomainError
from authn.models import AuditEvent
from config.error_statuses import STATUS
from orgs.credentials import failures
from tests.orgs.factories import ACCESS_TOKEN, ORG, ORGS

FIELDS = {"statusCode", "error", "code", "message", "action", "requestId"}


class _Broken:
    """Stands in for a part of the framework that fails; none of our own code is replaced."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self, *_, **__):
        raise self.error


def test_an_error_that_nobody_foresaw_shows_nothing_of_itself(owner, monkeypatch, capfd):
    monkeypatch.setattr("rest_framework.serializers.Serializer.is_valid", _Broken(KeyError("canary-5Aep861")))

    answer = owner.get(ORGS)

    assert answer.status_code == 500
    assert set(answer.json()) == FIELDS
    assert answer.json()["code"] == "INTERNAL_ERROR"
    assert "canary" not in answer.text + "".join(capfd.readouterr())


def test_a_database_that_is_away_is_503_with_a_time_to_wait(owner, monkeypatch):
    monkeypatch.setattr("rest_framework.serializers.Serializer.is_valid", _Broken(OperationalError("no route")))

    answer = owner.get(ORGS)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json()["code"] == "DATABASE_UNAVAILABLE"


def _subclasses(cls: type[object]) -> set[type[object]]:
    return {below for direct in cls.__subclasses__() for below in (direct, *_subclasses(direct))}


def test_every_error_class_has_a_status():
    without = {cls.__name__ for cls in _subclasses(DomainError) if not any(base in STATUS for base in cls.__mro__)}

    assert without == {"OrgError", "SessionError"}, "these two are never raised themselves"


def test_every_failure_says_what_to_do():
    for failure in failures.BY_CODE.values():
        assert failure.message.endswith(".")
        assert failure.action
        assert failure.raises in STATUS


def test_each_field_that_was_refused_is_named(owner):
    answer = owner.post("/sfp/api/application-tokens", {"name": 5, "expiresIn": "soon"})

    assert {error["field"] for error in answer.json()["errors"]} == {"name", "expiresIn"}
    assert answer.json()["message"].count(":") >= 2


def test_a_refusal_of_somebody_known_is_audited(member):
    member.post(ACCESS_TOKEN, username="ci@acme.example")

    event = AuditEvent.objects.get(action="request")
    assert (event.outcome, event.code, event.actor_name) == ("refused", "ROLE_REQUIRED", "member@acme.example")
    assert event.org_username == "ci@acme.example"
    assert event.details == {"method": "POST", "view": "SalesforceOrgViewSet"}


def test_a_refusal_of_nobody_is_not(anonymous):
    anonymous.get(ORGS)

    assert not AuditEvent.objects.exists()


def test_an_auth_url_in_place_of_a_username_is_not_audited(member):
    member.post(ACCESS_TOKEN, username="force://a:b:c@acme.my.salesforce.com")

    assert AuditEvent.objects.get(action="request").org_username == ""


def test_a_message_shows_the_name_that_was_asked_for(owner):
    assert "'x@acme.example'" in owner.get(ORG, username="x@acme.example").json()["message"]


@pytest.mark.parametrize(
    "path", ["/livez", "/readyz", "/sfp/api/docs", "/sfp/api/schema", "/sfp/api/auth/salesforce/orgs"]
)
def test_a_method_that_no_page_has_is_answered_in_json(owner, path):
    answer = owner.send("DELETE", path)

    assert answer.status_code == 405
    assert set(answer.json() if "vnd" not in answer.headers["Content-Type"] else FIELDS) == FIELDS
    assert "GET" in answer.headers["Allow"]

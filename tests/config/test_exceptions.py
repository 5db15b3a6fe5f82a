"""Unexpected errors and refusals by Django have the same body as all others."""

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


def test_an_unexpected_error_is_not_returned_or_logged(owner, monkeypatch, capfd):
    monkeypatch.setattr("rest_framework.serializers.Serializer.is_valid", _Broken(KeyError("canary-5Aep861")))

    response = owner.get(ORGS)

    assert response.status_code == 500
    assert set(response.json()) == FIELDS
    assert response.json()["code"] == "INTERNAL_ERROR"
    assert "canary" not in response.text + "".join(capfd.readouterr())


def test_an_unavailable_database_is_503_with_retry_after(owner, monkeypatch):
    monkeypatch.setattr("rest_framework.serializers.Serializer.is_valid", _Broken(OperationalError("no route")))

    response = owner.get(ORGS)

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.json()["code"] == "DATABASE_UNAVAILABLE"


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


def test_each_invalid_field_is_named(owner):
    response = owner.post("/sfp/api/application-tokens", {"name": 5, "expiresIn": "soon"})

    assert {error["field"] for error in response.json()["errors"]} == {"name", "expiresIn"}
    assert response.json()["message"].count(":") >= 2


def test_the_refusal_of_a_user_is_audited(member):
    member.post(ACCESS_TOKEN, username="ci@acme.example")

    event = AuditEvent.objects.get(action="request")
    assert (event.outcome, event.code, event.actor_name) == ("refused", "ROLE_REQUIRED", "member@acme.example")
    assert event.target_label == "ci@acme.example"
    assert event.details == {"method": "POST", "view": "SalesforceOrgViewSet"}


def test_the_refusal_of_an_anonymous_caller_is_not_audited(anonymous):
    anonymous.get(ORGS)

    assert not AuditEvent.objects.exists()


def test_an_auth_url_in_place_of_a_username_is_not_audited(member):
    member.post(ACCESS_TOKEN, username="force://a:b:c@acme.my.salesforce.com")

    assert AuditEvent.objects.get(action="request").target_label == ""


def test_a_message_contains_the_requested_name(owner):
    assert "'x@acme.example'" in owner.get(ORG, username="x@acme.example").json()["message"]


@pytest.mark.parametrize(
    "path", ["/livez", "/readyz", "/sfp/api/docs", "/sfp/api/schema", "/sfp/api/auth/salesforce/orgs"]
)
def test_an_unsupported_method_gets_json(owner, path):
    response = owner.send("DELETE", path)

    assert response.status_code == 405
    assert set(response.json() if "vnd" not in response.headers["Content-Type"] else FIELDS) == FIELDS
    assert "GET" in response.headers["Allow"]

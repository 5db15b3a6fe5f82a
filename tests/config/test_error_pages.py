"""Browsers get errors as pages, API clients as JSON; neither contains internals."""

import pytest
from django.test import Client

from authn.errors import AuditUnavailable, LoginBusy
from authn.models import User
from authn.roles import Role
from config.error_bodies import error_body
from config.error_pages import error_page
from orgs.credentials.errors import SpoolUnavailable, SpoolUnreadable
from tests.support.browser_client import HTML, Visitor, text_of

pytestmark = pytest.mark.django_db


class _Broken:
    """Stands in for a part of the framework that fails; none of our own code is replaced."""

    def __call__(self, *_, **__):
        raise KeyError("canary-5Aep861")


def _browser() -> Client:
    return Client(raise_request_exception=False, headers=HTML)


@pytest.mark.parametrize(("path", "status"), [("/nothing-here", 404), ("/set-password/x/y", 404)])
def test_a_browser_gets_a_page(path, status):
    response = _browser().get(path)

    assert response.status_code == status
    assert response["Content-Type"].startswith("text/html")
    assert response["X-Request-Id"] in text_of(response)
    assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/nothing-here", "/sfp/api/nothing-here"])
def test_an_api_client_gets_json(path):
    response = Client().get(path)

    assert response.json()["code"] == "NOT_FOUND"


def test_the_api_responds_with_json_to_a_browser_too():
    assert _browser().get("/sfp/api/nothing-here").json()["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    "error", [SpoolUnavailable(), SpoolUnreadable(["7.spool"]), AuditUnavailable(), LoginBusy()], ids=lambda e: e.code
)
def test_a_page_does_not_blame_salesforce_for_a_fault_of_the_desk(error, rf):
    page = error_page(503, error_body(rf.get("/"), 503, code=error.code, message=str(error), action=error.action))

    assert "Salesforce cannot be reached" not in text_of(page)


def test_an_unexpected_error_is_not_shown_or_logged(monkeypatch, capfd):
    monkeypatch.setattr("django.contrib.admin.sites.AdminSite.each_context", _Broken())
    visitor = Visitor().sign_in(User.objects.create_user("olga@acme.example", None, role=Role.OWNER))

    response = visitor.get("/console/")

    assert response.status_code == 500
    assert "Something went wrong" in text_of(response)
    assert "canary" not in text_of(response) + "".join(capfd.readouterr())


def test_markup_in_an_address_is_escaped():
    assert "<script" not in text_of(_browser().get("/<script>alert(1)</script>"))


def test_a_page_needs_no_database(monkeypatch):
    monkeypatch.setattr("authn.browser.sessions.SessionStore.load", _Broken())

    assert _browser().get("/nothing-here").status_code == 404

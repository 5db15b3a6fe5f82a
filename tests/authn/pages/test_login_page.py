"""/login and /logout: access, errors, redirects, sessions and cross-site requests."""

import os
import re
import subprocess
import sys

import pytest
from django.conf import settings as frozen

from authn.models import AuditEvent
from authn.principals import system
from authn.roles import Role
from authn.users import set_password, update_user
from authn.web.redirects import local_path
from tests.conftest import PASSWORD
from tests.support.browser_client import Visitor, text_of

pytestmark = pytest.mark.django_db
BY = system("tests")


@pytest.fixture
def olga(a_person):
    return a_person("olga@acme.example", Role.OWNER)


@pytest.fixture
def mia(a_person):
    return a_person("mia@acme.example")


def _log_in(visitor, email="mia@acme.example", password=PASSWORD, **more):
    return visitor.post("/login", {"email": email, "password": password, **more})


def _errors(response) -> str:
    return " ".join(re.findall(r'<div class="alert alert-bad".*?</div>', text_of(response), re.DOTALL))


@pytest.mark.database
def test_a_log_in_is_audited(mia):
    visitor = Visitor()

    response = _log_in(visitor, "  MIA@acme.example ")

    assert (response.status_code, response["Location"]) == (302, "/")
    assert "mia@acme.example" in text_of(visitor.get("/password"))
    row = AuditEvent.objects.get(action="person.login")
    assert (row.outcome, row.actor_name, row.details["door"]) == ("granted", "mia@acme.example", "browser")


def test_an_owner_is_redirected_to_the_console(olga):
    assert _log_in(Visitor(), "olga@acme.example")["Location"] == "/console/"


def test_a_logged_in_user_is_redirected(mia):
    visitor = Visitor().sign_in(mia)

    assert visitor.get("/login", next="/password")["Location"] == "/password"


@pytest.mark.parametrize(
    ("email", "password"),
    [("mia@acme.example", "wrong"), ("nobody@acme.example", PASSWORD), ("off@acme.example", PASSWORD)],
)
def test_a_refusal_does_not_reveal_whether_the_user_exists(email, password, mia, a_person):
    update_user(a_person("off@acme.example"), by=BY, is_active=False)

    response = _log_in(Visitor(), email, password)

    assert response.status_code == 200
    assert "Incorrect e-mail or password." in _errors(response)
    assert frozen.SESSION_COOKIE_NAME not in response.cookies
    assert password not in text_of(response)


@pytest.mark.database
def test_a_locked_log_in_says_how_long_and_what_to_do(mia):
    visitor = Visitor()
    for _ in range(5):
        _log_in(visitor, password="wrong")

    response = _log_in(visitor)

    assert "locked for 15 minutes" in _errors(response)
    assert "new password link" in _errors(response)


@pytest.mark.database
def test_log_ins_per_address_are_limited(mia):
    visitor = Visitor()
    responses = [_log_in(visitor, f"nobody{number}@acme.example") for number in range(61)]

    assert [response.status_code for response in responses] == [200] * 60 + [429]
    assert int(responses[-1]["Retry-After"]) > 0


@pytest.mark.parametrize("field", ["email", "password", "next"])
@pytest.mark.parametrize("value", ["", "x" * 5000, "a\x00b", "<script>alert(1)</script>"])
def test_an_invalid_form_is_shown_again(field, value, mia):
    response = _log_in(Visitor(), **{"email": "mia@acme.example", "password": "wrong", field: value})

    assert response.status_code == 200
    assert "<script>alert" not in text_of(response)


# --- Redirects --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/console/", "/password?x=1&y=%2F%2Fevil.example", "/a/b#c", "/%2f%2fevil.example"]
)
def test_a_local_path_is_allowed_as_a_redirect(path):
    assert local_path(path) == path


ELSEWHERE = [
    "//evil.example", "/\\evil.example", "\\\\evil.example", "///evil.example", "/\t/evil.example", "\t//evil.example",
    " //evil.example", "https:evil.example", "https:/evil.example", "https://evil.example", "HTTPS://evil.example",
    "https:///evil.example", "http://localhost@evil.example", "http://localhost:8000@evil.example",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "//localhost:8000@evil.example",
    "/\n/evil.example", "/\r/evil.example",
    "/\x00/evil.example", "/\x0b/evil.example", "/\u2028/evil.example", "%2f%2fevil.example", "evil.example", "?next=x",
    "#x", "", ".", "./x", "../x", "/x\\..\\y", "/a b", "/a\x7fb", "//evil.example/%2f..", "/\\/evil.example",
    "\u2215\u2215evil.example", "ftp://evil.example", "//[::1]/", "/" + "a" * 2001,
]  # fmt: skip


@pytest.mark.parametrize("address", ELSEWHERE)
def test_an_address_of_another_host_is_not_a_redirect(address):
    assert local_path(address) == ""


def test_no_log_in_redirects_to_another_host(mia, each):
    for address in ELSEWHERE:
        with each(address):
            response = _log_in(Visitor(), next=address)

            assert (response.status_code, response["Location"]) == (302, "/")


# --- Sessions --------------------------------------------------------------------------------------


@pytest.mark.database
def test_a_log_in_replaces_a_planted_session_key(mia):
    visitor, stranger = Visitor(), Visitor()
    planted = "a-key-that-a-stranger-chose-0123"
    for each in (visitor, stranger):
        each.client.cookies[frozen.SESSION_COOKIE_NAME] = planted

    _log_in(visitor)

    assert visitor.client.cookies[frozen.SESSION_COOKIE_NAME].value != planted
    assert visitor.get("/password").status_code == 200
    assert stranger.get("/password").status_code == 302


def test_the_session_of_another_user_is_not_taken_over(mia, olga):
    visitor = Visitor().sign_in(olga)
    visitor.client.logout()

    _log_in(visitor)

    assert visitor.get("/console/").status_code == 302


def test_cookies_are_http_only_and_same_site(mia):
    response = _log_in(Visitor())

    for cookie in response.cookies.values():
        assert cookie["httponly"], cookie.key
        assert cookie["samesite"] == "Lax", cookie.key
        assert not cookie["domain"], cookie.key


def test_over_https_the_cookies_are_secure_and_bound_to_the_host():
    program = "from config import settings as s; print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, "
    program += "s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME)"
    environment = {"ENV_FILE": os.devnull, "PUBLIC_URL": "https://frontdesk.example.com", "SECRET_KEY": "s" * 40}

    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["True", "True", "__Host-sessionid", "__Host-csrftoken"]


@pytest.mark.database
def test_deactivating_a_user_ends_the_session(mia):
    visitor = Visitor().sign_in(mia)

    update_user(mia, by=BY, is_active=False)

    assert visitor.get("/password").status_code == 302


@pytest.mark.database
def test_a_new_password_ends_every_session(mia):
    visitors = [Visitor().sign_in(mia), Visitor().sign_in(mia)]

    set_password(mia, "another-long-password", by=BY, how="test")

    assert [visitor.get("/password").status_code for visitor in visitors] == [302, 302]


def test_only_the_button_logs_out(mia):
    visitor = Visitor().sign_in(mia)

    visitor.get("/logout")
    assert visitor.get("/password").status_code == 200

    response = visitor.post("/logout")
    assert response["Location"] == "/login"
    assert visitor.get("/password").status_code == 302
    row = AuditEvent.objects.get(action="person.logout")
    assert (row.actor_name, row.details["door"]) == ("mia@acme.example", "browser")


# --- Cross-site requests -------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/login", "/logout", "/password"])
@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_a_form_of_another_site_is_refused(path, headers, mia):
    visitor = Visitor().sign_in(mia)
    fields = {"email": "mia@acme.example", "password": PASSWORD}

    response = visitor.client.post(path, fields, headers=headers)

    assert response.status_code == 403
    assert "reload the page" in text_of(response)
    assert visitor.get("/password").status_code == 200


def test_a_csrf_token_of_another_session_is_refused(mia):
    stranger, victim = Visitor(), Visitor()
    stranger.get("/login")
    token = stranger.client.cookies[frozen.CSRF_COOKIE_NAME].value

    fields = {"email": "mia@acme.example", "password": PASSWORD, "csrfmiddlewaretoken": token}
    response = victim.client.post("/login", fields)

    assert response.status_code == 403
    assert frozen.SESSION_COOKIE_NAME not in response.cookies


@pytest.mark.parametrize("path", ["/login", "/logout", "/nothing-here", "/set-password/0/x"])
def test_no_page_may_be_framed(path, db):
    response = Visitor().get(path)

    assert response["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Host": "localhost.evil.example"}])
def test_a_foreign_host_name_is_refused(headers, db):
    response = Visitor().client.get("/login", headers=headers)

    assert response.status_code == 400
    assert "//evil.example" not in text_of(response), (
        "the page names the host to a client on this machine, without a link"
    )


def test_a_forwarded_host_name_is_ignored(db):
    response = Visitor().client.get("/login", headers={"X-Forwarded-Host": "evil.example"})

    assert response.status_code == 200
    assert "evil.example" not in text_of(response)

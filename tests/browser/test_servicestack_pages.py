"""The pages of the ServiceStack service in a real browser, with the headers that it sends by itself."""

import pytest

from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ursula@acme.example"


@pytest.fixture
def ursula(a_person):
    return a_person(EMAIL)


def _log_in(page, password: str) -> None:
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_a_user_logs_in_and_out(watched, watcher, live_server, ursula):
    watcher.expect(401)
    watched.goto(f"{live_server.url}/auth")
    _log_in(watched, PASSWORD)

    watched.wait_for_url(f"{live_server.url}/auth")
    assert watched.get_by_role("heading", name="You are logged in").is_visible()
    assert watched.get_by_role("cell", name=EMAIL).first.is_visible()

    watched.goto(f"{live_server.url}/auth/logout")
    watched.goto(f"{live_server.url}/auth")
    assert watched.get_by_role("button", name="Log in").is_visible()


def test_a_wrong_password_shows_an_error_and_can_be_corrected(watched, watcher, live_server, ursula):
    watcher.expect(401)
    watched.goto(f"{live_server.url}/auth?Continue=/metadata")
    _log_in(watched, "wrong")

    assert "Invalid Username or Password" in watched.get_by_role("alert").inner_text()
    _log_in(watched, PASSWORD)

    watched.wait_for_url(f"{live_server.url}/metadata")


FIELDS = f'<input name="UserName" value="{EMAIL}"><input name="Password" value="{PASSWORD}">'
# A form of plain text spells its one field as name=value, which can be made to read as JSON.
AS_JSON = f"""<input name='{{"UserName":"{EMAIL}","Password":"{PASSWORD}","x":"' value='"}}'>"""


@pytest.mark.parametrize(
    ("path", "kind", "fields", "status"),
    [
        ("/auth/credentials", "application/x-www-form-urlencoded", FIELDS, 403),
        ("/json/reply/Authenticate", "multipart/form-data", FIELDS, 403),
        ("/api/Authenticate", "text/plain", AS_JSON, 403),
        ("/auth/credentials", "text/plain", AS_JSON, 415),
    ],
)
def test_a_form_of_another_site_does_not_log_in(path, kind, fields, status, page, live_server, ursula):
    body = f'<form method="post" enctype="{kind}" action="{live_server.url}{path}">{fields}<button>Win</button></form>'
    page.route("http://evil.example/**", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto("http://evil.example/")

    with page.expect_navigation() as left:
        page.get_by_role("button", name="Win").click()

    assert left.value.status == status
    assert page.context.cookies() == []


def test_another_site_cannot_log_a_user_out(page, live_server, ursula):
    page.goto(f"{live_server.url}/auth")
    _log_in(page, PASSWORD)
    page.wait_for_url(f"{live_server.url}/auth")
    body = f'<a href="{live_server.url}/auth/logout">Kittens</a>'
    page.route("http://evil.example/**", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto("http://evil.example/")

    with page.expect_navigation() as left:
        page.get_by_role("link", name="Kittens").click()

    assert left.value.status == 403
    page.goto(f"{live_server.url}/auth")
    assert page.get_by_role("heading", name="You are logged in").is_visible()


def test_the_metadata_pages_load_without_complaint(watched, live_server):
    for path in ("/metadata", "/jsv/metadata?op=Authenticate", "/json/metadata?op=GetAccessToken"):
        watched.goto(f"{live_server.url}{path}")

        assert watched.get_by_role("heading").first.is_visible()

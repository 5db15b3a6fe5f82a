"""HTML responses and redirects: Continue, ReturnUrl, Referer and ErrorView."""

import html
import json
from urllib.parse import unquote

import pytest

from tests.authn.servicestack.wire import FORM, LOGIN, NAME, Wire, sessions

pytestmark = pytest.mark.django_db
OWN = "http://testserver"
PUBLIC = "http://localhost:8000"
PAGE = {"accept": "text/html", "type_": FORM}
FOREIGN = [
    "//evil.example",
    "https://evil.example",
    "https://testserver.evil.example/",
    "http://testserver@evil.example/",
    "http://testserver:8000/",
    "https://testserver/",
    "http://localhost:8000.evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/x\r\nSet-Cookie: a=b",
    "/x\n",
    "\x01//evil.example",
    "javascript:alert(1)",
    "JaVaScript:alert(1)",
    "data:text/html,x",
    "http:evil.example",
    "http:///evil.example",
    "evil.example/x",
    "?x",
    "/ü",
    "http://[",
]


def test_a_browser_that_is_not_logged_in_gets_a_log_in_form(wire):
    response = wire.get("/auth", accept="text/html")

    assert response.status == 401
    assert "Not Authenticated" in response.text
    assert '<form method="post" action="/auth/credentials">' in response.text


def test_a_log_in_redirects(wire):
    response = wire.post("/auth/credentials", LOGIN | {"Continue": "/x?y=z#f"}, **PAGE)

    assert (response.status, response.headers["Location"]) == (302, "/x?y=z#f")
    assert wire.who() == 200


def test_a_refusal_redirects_back_to_the_page_of_frontdesk(wire):
    response = wire.post("/auth/credentials", LOGIN | {"Password": "wrong"}, **PAGE, Referer=f"{OWN}/login?a=b#c")

    assert response.status == 302
    assert unquote(response.headers["Location"]) == f"{OWN}/login?a=b#f=Invalid Username or Password"


@pytest.mark.parametrize("referrer", ["", "https://evil.example/", "//evil.example", "javascript:x"])
def test_a_refusal_without_a_page_of_frontdesk_renders_its_own(referrer, wire):
    response = wire.post("/auth/credentials", LOGIN | {"Password": "wrong"}, **PAGE, Referer=referrer)

    assert response.status == 401
    assert "Location" not in response.headers
    assert "Invalid Username or Password" in response.text


URLS_WITH_SIDE_EFFECTS = [
    "/auth/credentials",
    "/auth/credentials?Continue=/x",
    "/AUTH/Login/",
    "/auth/credentials.html",
    "/auth/%63redentials",
    "/authenticate/basic",
    "/authenticate/logout",
    "/auth?provider=credentials",
    "/auth.html?a=b&Provider=x",
    "/html/reply/Authenticate",
    "/api/Authenticate?x",
    "/json/oneway/Authenticate",
    "/access-token",
]


@pytest.mark.parametrize("path", URLS_WITH_SIDE_EFFECTS)
def test_a_url_with_side_effects_is_not_redirected_back_to(path, wire):
    headers = {"Referer": f"{OWN}{path}"}

    assert wire.post("/auth/credentials", LOGIN | {"Password": "wrong"}, **PAGE, **headers).status == 401
    assert wire.post("/auth/credentials", LOGIN, **PAGE, **headers).status == 200
    assert wire.get("/auth/logout", accept="text/html", **headers).status == 200


@pytest.mark.parametrize("path", ["/auth", "/auth?Continue=/x", "/authenticate.html", "/", "/metadata", "/nosuch", ""])
def test_any_other_url_of_frontdesk_is_redirected_back_to(path, wire):
    response = wire.post("/auth/credentials", LOGIN, **PAGE, Referer=f"{OWN}{path}")

    assert (response.status, response.headers["Location"]) == (302, f"{OWN}{path}")


@pytest.mark.parametrize(
    "view", ["login", "Login", "error", "nosuch", "../../etc/passwd", "servicestack/operation.html"]
)
def test_an_error_view_selects_one_of_the_templates(view, wire):
    message = LOGIN | {"Password": "wrong", "ErrorView": view, "Continue": "/x"}

    response = wire.post("/auth/credentials", message, **PAGE, Referer=f"{OWN}/login")

    assert response.status == 401
    assert "Invalid Username or Password" in response.text
    assert ("<title>Log in</title>" in response.text) == (view.lower() == "login")
    assert 'name="Continue" value="/x"' in response.text


def test_values_on_a_page_are_escaped(wire):
    name = '"><script>alert(1)</script>@x.example'

    responses = [
        wire.post("/auth/credentials", {"UserName": name, "Password": "x", "ErrorView": "<b>"}, **PAGE),
        wire.post("/auth/credentials", LOGIN | {"Continue": '/"><script>', "Password": "x"}, **PAGE),
        wire.get("/auth?provider=<script>x</script>", accept="text/html"),
        wire.get("/auth?RememberMe=<script>x</script>", accept="text/html"),
    ]

    assert [response.status for response in responses] == [401, 401, 404, 400]
    assert not [response for response in responses if "<script>" in response.text]


def test_a_log_in_without_a_target_shows_its_response(wire):
    response = wire.post("/auth/credentials", LOGIN, **PAGE)

    assert response.status == 200
    shown = json.loads(html.unescape(response.text.partition("<pre>")[2].partition("</pre>")[0]))
    assert shown["userName"] == NAME
    assert shown["sessionId"] == wire.cookie("ss-id")


@pytest.mark.parametrize(
    ("query", "referrer", "target"),
    [("?ReturnUrl=/home", f"{OWN}/login", "/home"), ("?ReturnUrl=//evil.example", f"{OWN}/login#x", f"{OWN}/login"),
     ("?ReturnUrl=/%0d%0ax", "https://evil.example", None)],
)  # fmt: skip
def test_a_log_in_redirects_to_the_first_target_within_frontdesk(query, referrer, target, wire):
    response = wire.post(f"/auth/credentials{query}", LOGIN, **PAGE, Referer=referrer)

    assert response.headers.get("Location") == target


def test_a_logged_in_caller_is_redirected_with_a_fragment(wire):
    token = wire.log_in()["bearerToken"]

    response = wire.post("/auth/jwt", {"Continue": "/x"}, **PAGE, Authorization=f"Bearer {token}")

    assert (response.status, response.headers["Location"]) == (302, "/x#s=0")


def test_a_log_out_redirects(wire):
    wire.log_in()

    assert wire.get("/auth/logout?Continue=/bye", accept="text/html").headers["Location"] == "/bye"
    assert wire.get("/auth/logout", accept="text/html", Referer=f"{OWN}/x").headers["Location"] == f"{OWN}/x"
    assert wire.get("/auth/logout", accept="text/html", Referer=f"{OWN}/auth/logout").status == 200


@pytest.mark.parametrize("target", FOREIGN)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_target_of_another_site_is_refused(accept, target, wire):
    response = wire.post(
        "/auth/credentials", json.dumps(LOGIN | {"Continue": target}), type_="application/json", accept=accept
    )

    assert response.status == 400
    assert "External Redirects are not permitted" in response.text
    assert "Location" not in response.headers
    assert sessions() == 0
    if accept == "application/json":
        assert response.error()["errorCode"] == "ArgumentException"
        assert response.error()["errors"][0]["fieldName"] == "Continue"


@pytest.mark.parametrize("target", FOREIGN[:8])
def test_a_target_of_another_site_is_refused_in_a_query_and_at_log_out(target, wire):
    for path in ("/auth/logout", "/auth"):
        response = wire.get(f"{path}?Continue={target.replace(chr(92), '%5C')}", accept="text/html")
        assert (response.status, "Location" in response.headers) == (400, False)


def test_an_error_view_is_for_errors_only(wire):
    response = wire.post("/auth/credentials", LOGIN | {"ErrorView": "login"}, **PAGE)

    assert response.status == 200
    assert 'name="Password"' not in response.text


@pytest.mark.parametrize("view", ["", "login"])
def test_the_page_of_the_refusal_does_not_offer_the_target_again(view, wire):
    response = wire.get(f"/auth?Continue=//evil.example&ErrorView={view}", accept="text/html")

    assert response.status == 400
    assert 'name="Continue" value="/auth"' in response.text
    assert "evil" not in response.text


@pytest.mark.parametrize(
    "target", ["/", "/path", "/a/b?c=https://x#d", f"{OWN}/x", "HTTP://TestServer/x", f"{PUBLIC}/x"]
)
def test_a_target_within_frontdesk_is_accepted(target, wire):
    response = wire.post("/auth/credentials", LOGIN | {"Continue": target}, **PAGE)

    assert (response.status, response.headers["Location"]) == (302, target)


@pytest.mark.parametrize("target", ["String", "home", "a-b_c.d", " "])
def test_a_word_as_target_is_ignored(target, wire):
    response = wire.post("/auth/credentials", LOGIN | {"Continue": target})

    assert response.status == 200
    assert "referrerUrl" not in response.json()


@pytest.mark.parametrize("format_", ["json", "xml", "jsv", "csv"])
def test_other_formats_never_redirect(format_, wire):
    responses = [
        wire.post(f"/auth/credentials.{format_}", LOGIN | {"Continue": "/x"}, Referer=f"{OWN}/y"),
        wire.post(f"/auth/credentials.{format_}", LOGIN | {"Password": "x"}, Referer=f"{OWN}/y"),
        wire.post(f"/auth/logout.{format_}", {"Continue": "/x"}, Referer=f"{OWN}/y"),
    ]

    assert [response.status for response in responses] == [200, 401, 200]
    assert not [response for response in responses if "Location" in response.headers]


def test_the_target_is_in_the_response(wire):
    assert wire.log_in(Continue="/x")["referrerUrl"] == "/x"


def test_an_unauthenticated_page_has_the_status_401(ursula):
    assert Wire().get("/html/reply/Authenticate", accept=None).status == 401

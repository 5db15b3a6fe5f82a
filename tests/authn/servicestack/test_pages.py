"""What a browser sees, where it is sent on to: points 45 to 47."""

import html
import json
from urllib.parse import unquote

import pytest

from tests.authn.servicestack.wire import FORM, LOGIN, NAME, Wire, sessions

pytestmark = pytest.mark.django_db
OURS = "http://testserver"
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


def test_point_45_nobody_sees_a_page_to_log_in_at(wire):
    answer = wire.get("/auth", accept="text/html")

    assert answer.status == 401
    assert "Not Authenticated" in answer.text
    assert '<form method="post" action="/auth/credentials">' in answer.text


def test_point_45_a_log_in_leads_on(wire):
    answer = wire.post("/auth/credentials", LOGIN | {"Continue": "/x?y=z#f"}, **PAGE)

    assert (answer.status, answer.headers["Location"]) == (302, "/x?y=z#f")
    assert wire.who() == 200


def test_point_45_a_refusal_leads_back_to_our_page(wire):
    answer = wire.post("/auth/credentials", LOGIN | {"Password": "wrong"}, **PAGE, Referer=f"{OURS}/login?a=b#c")

    assert answer.status == 302
    assert unquote(answer.headers["Location"]) == f"{OURS}/login?a=b#f=Invalid Username or Password"


@pytest.mark.parametrize("referrer", ["", "https://evil.example/", "//evil.example", "javascript:x"])
def test_point_45_or_to_a_page_of_its_own(referrer, wire):
    answer = wire.post("/auth/credentials", LOGIN | {"Password": "wrong"}, **PAGE, Referer=referrer)

    assert answer.status == 401
    assert "Location" not in answer.headers
    assert "Invalid Username or Password" in answer.text


DEEDS = [
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


@pytest.mark.parametrize("path", DEEDS)
def test_point_45_an_address_that_does_something_is_no_page_to_go_back_to(path, wire):
    headers = {"Referer": f"{OURS}{path}"}

    assert wire.post("/auth/credentials", LOGIN | {"Password": "wrong"}, **PAGE, **headers).status == 401
    assert wire.post("/auth/credentials", LOGIN, **PAGE, **headers).status == 200
    assert wire.get("/auth/logout", accept="text/html", **headers).status == 200


@pytest.mark.parametrize("path", ["/auth", "/auth?Continue=/x", "/authenticate.html", "/", "/metadata", "/nosuch", ""])
def test_point_45_any_other_address_of_ours_is(path, wire):
    answer = wire.post("/auth/credentials", LOGIN, **PAGE, Referer=f"{OURS}{path}")

    assert (answer.status, answer.headers["Location"]) == (302, f"{OURS}{path}")


@pytest.mark.parametrize(
    "view", ["login", "Login", "error", "nosuch", "../../etc/passwd", "servicestack/operation.html"]
)
def test_point_45_a_view_is_one_of_ours(view, wire):
    wish = LOGIN | {"Password": "wrong", "ErrorView": view, "Continue": "/x"}

    answer = wire.post("/auth/credentials", wish, **PAGE, Referer=f"{OURS}/login")

    assert answer.status == 401
    assert "Invalid Username or Password" in answer.text
    assert ("<title>Log in</title>" in answer.text) == (view.lower() == "login")
    assert 'name="Continue" value="/x"' in answer.text


def test_point_45_values_are_escaped(wire):
    name = '"><script>alert(1)</script>@x.example'

    answers = [
        wire.post("/auth/credentials", {"UserName": name, "Password": "x", "ErrorView": "<b>"}, **PAGE),
        wire.post("/auth/credentials", LOGIN | {"Continue": '/"><script>', "Password": "x"}, **PAGE),
        wire.get("/auth?provider=<script>x</script>", accept="text/html"),
        wire.get("/auth?RememberMe=<script>x</script>", accept="text/html"),
    ]

    assert [answer.status for answer in answers] == [401, 401, 404, 400]
    assert not [answer for answer in answers if "<script>" in answer.text]


def test_a_log_in_without_a_place_to_go_shows_its_answer(wire):
    answer = wire.post("/auth/credentials", LOGIN, **PAGE)

    assert answer.status == 200
    shown = json.loads(html.unescape(answer.text.partition("<pre>")[2].partition("</pre>")[0]))
    assert shown["userName"] == NAME
    assert shown["sessionId"] == wire.cookie("ss-id")


@pytest.mark.parametrize(
    ("query", "referrer", "target"),
    [("?ReturnUrl=/home", f"{OURS}/login", "/home"), ("?ReturnUrl=//evil.example", f"{OURS}/login#x", f"{OURS}/login"),
     ("?ReturnUrl=/%0d%0ax", "https://evil.example", None)],
)  # fmt: skip
def test_a_log_in_leads_to_the_first_place_of_ours(query, referrer, target, wire):
    answer = wire.post(f"/auth/credentials{query}", LOGIN, **PAGE, Referer=referrer)

    assert answer.headers.get("Location") == target


def test_who_is_known_already_is_sent_on_with_a_sign(wire):
    token = wire.log_in()["bearerToken"]

    answer = wire.post("/auth/jwt", {"Continue": "/x"}, **PAGE, Authorization=f"Bearer {token}")

    assert (answer.status, answer.headers["Location"]) == (302, "/x#s=0")


def test_a_log_out_leads_on(wire):
    wire.log_in()

    assert wire.get("/auth/logout?Continue=/bye", accept="text/html").headers["Location"] == "/bye"
    assert wire.get("/auth/logout", accept="text/html", Referer=f"{OURS}/x").headers["Location"] == f"{OURS}/x"
    assert wire.get("/auth/logout", accept="text/html", Referer=f"{OURS}/auth/logout").status == 200


@pytest.mark.parametrize("target", FOREIGN)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_point_46_a_place_that_is_not_ours_is_refused(accept, target, wire):
    answer = wire.post(
        "/auth/credentials", json.dumps(LOGIN | {"Continue": target}), type_="application/json", accept=accept
    )

    assert answer.status == 400
    assert "External Redirects are not permitted" in answer.text
    assert "Location" not in answer.headers
    assert sessions() == 0
    if accept == "application/json":
        assert answer.error()["errorCode"] == "ArgumentException"
        assert answer.error()["errors"][0]["fieldName"] == "Continue"


@pytest.mark.parametrize("target", FOREIGN[:8])
def test_point_46_nor_is_it_in_a_query_or_at_log_out(target, wire):
    for path in ("/auth/logout", "/auth"):
        answer = wire.get(f"{path}?Continue={target.replace(chr(92), '%5C')}", accept="text/html")
        assert (answer.status, "Location" in answer.headers) == (400, False)


def test_an_error_view_is_for_errors_alone(wire):
    answer = wire.post("/auth/credentials", LOGIN | {"ErrorView": "login"}, **PAGE)

    assert answer.status in (200, 302)
    assert 'name="Password"' not in answer.text


@pytest.mark.parametrize("view", ["", "login"])
def test_point_46_the_page_of_the_refusal_does_not_offer_it_again(view, wire):
    answer = wire.get(f"/auth?Continue=//evil.example&ErrorView={view}", accept="text/html")

    assert answer.status == 400
    assert 'name="Continue" value="/auth"' in answer.text
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    "target", ["/", "/path", "/a/b?c=https://x#d", f"{OURS}/x", "HTTP://TestServer/x", f"{PUBLIC}/x"]
)
def test_point_46_a_place_of_ours_is_fine(target, wire):
    answer = wire.post("/auth/credentials", LOGIN | {"Continue": target}, **PAGE)

    assert (answer.status, answer.headers["Location"]) == (302, target)


@pytest.mark.parametrize("target", ["String", "home", "a-b_c.d", " "])
def test_point_46_a_word_is_no_place_and_is_dropped(target, wire):
    answer = wire.post("/auth/credentials", LOGIN | {"Continue": target})

    assert answer.status == 200
    assert "referrerUrl" not in answer.json()


@pytest.mark.parametrize("format_", ["json", "xml", "jsv", "csv"])
def test_point_47_other_formats_never_lead_on(format_, wire):
    answers = [
        wire.post(f"/auth/credentials.{format_}", LOGIN | {"Continue": "/x"}, Referer=f"{OURS}/y"),
        wire.post(f"/auth/credentials.{format_}", LOGIN | {"Password": "x"}, Referer=f"{OURS}/y"),
        wire.post(f"/auth/logout.{format_}", {"Continue": "/x"}, Referer=f"{OURS}/y"),
    ]

    assert [answer.status for answer in answers] == [200, 401, 200]
    assert not [answer for answer in answers if "Location" in answer.headers]


def test_point_47_the_place_is_told_in_the_answer(wire):
    assert wire.log_in(Continue="/x")["referrerUrl"] == "/x"


def test_nobody_s_page_is_the_same_for_the_wire(ursula):
    assert Wire().get("/html/reply/Authenticate", accept=None).status == 401

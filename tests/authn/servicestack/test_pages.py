"""What a browser sees, where it is sent on to, and the pages about the service: points 45 to 47 and 59."""

import html
import json
import re
from urllib.parse import unquote

import pytest

from authn.servicestack.formats import csv, xml
from tests.authn.servicestack.wire import FORM, LOGIN, NAME, Wire, sessions
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.database, pytest.mark.django_db]
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
TABLE_ROW = re.compile(r"<tr><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td><td>No</td><td></td></tr>")


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


def test_point_59_the_index_names_the_operations(wire):
    for path in ("/metadata", "/Metadata/"):
        page = wire.get(path, accept=None)
        assert page.status == 200
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "Authenticate" in page.text
        assert "GetAccessToken" in page.text


PARAMETERS = [
    ("provider", "path", "string"), ("State", "query", "string"), ("oauth_token", "query", "string"),
    ("oauth_verifier", "query", "string"), ("UserName", "query", "string"), ("Password", "query", "string"),
    ("RememberMe", "query", "bool?"), ("Continue", "query", "string"), ("ErrorView", "query", "string"),
    ("nonce", "query", "string"), ("uri", "query", "string"), ("response", "query", "string"),
    ("qop", "query", "string"), ("nc", "query", "string"), ("cnonce", "query", "string"),
    ("UseTokenCookie", "query", "bool?"), ("AccessToken", "query", "string"),
    ("AccessTokenSecret", "query", "string"), ("scope", "query", "string"),
    ("Meta", "query", "Dictionary<string, string>"),
    ("ResponseStatus", "form", "ResponseStatus"), ("UserId", "form", "string"), ("SessionId", "form", "string"),
    ("UserName", "form", "string"), ("DisplayName", "form", "string"), ("ReferrerUrl", "form", "string"),
    ("BearerToken", "form", "string"), ("RefreshToken", "form", "string"), ("ProfileUrl", "form", "string"),
    ("Roles", "form", "List<string>"), ("Permissions", "form", "List<string>"),
    ("Meta", "form", "Dictionary<string, string>"),
]  # fmt: skip


@pytest.mark.parametrize("format_", ["json", "xml", "jsv", "csv"])
def test_point_59_the_page_of_the_operation_is_as_documented(format_, wire):
    page = wire.get(f"/{format_}/metadata?op=Authenticate", accept=None)

    text = html.unescape(page.text)
    assert page.status == 200
    for route in ("/auth", "/auth/{provider}", "/authenticate", "/authenticate/{provider}"):
        assert f"<tr><td>All Verbs</td><td>{route}</td></tr>" in text
    assert TABLE_ROW.findall(text) == PARAMETERS
    sentence = (
        "To override the Content-type in your clients, use the HTTP Accept Header, "
        f"append the .{format_} suffix or ?format={format_}"
    )
    assert sentence in re.sub(r"</?b>", "", text)
    assert "<back to all web services" in text
    assert "POST /auth HTTP/1.1" in text


def _sample(wire, format_: str) -> str:
    page = wire.get(f"/{format_}/metadata?op=authenticate").text
    return html.unescape(page.partition("<pre>")[2].partition("</pre>")[0]).partition("\n\n")[2]


def _filled_in(sample: str, format_: str) -> str:
    """Return the sample with real values for what a log-in needs, and its placeholders elsewhere."""
    if format_ == "csv":
        names, values = (line.split(",") for line in sample.split("\r\n"))
        real = {"provider": "credentials", "userName": NAME, "password": PASSWORD, "continue": "/x"}
        row = [real.get(name, value) for name, value in zip(names, values, strict=True)]
        return ",".join(names) + "\r\n" + ",".join(row)
    quote = '"' if format_ == "json" else ""
    for name, value in {"provider": "credentials", "userName": NAME, "password": PASSWORD}.items():
        if format_ == "xml":
            name = name if name == "provider" else name[0].upper() + name[1:]
            sample = sample.replace(f"<{name}>String<", f"<{name}>{value}<")
        else:
            sample = sample.replace(
                f"{quote}{name}{quote}: {quote}String{quote}", f"{quote}{name}{quote}: {quote}{value}{quote}"
            )
    return sample


@pytest.mark.parametrize("format_", ["json", "xml", "jsv", "csv"])
def test_point_59_the_sample_logs_in_once_it_is_filled_in(format_, wire):
    answer = wire.post(f"/auth.{format_}", _filled_in(_sample(wire, format_), format_), type_=f"text/{format_}")

    assert answer.status == 200, answer
    assert NAME in answer.text
    assert wire.who() == 200


@pytest.mark.parametrize("path", ["/json/metadata?op=nosuch", "/json/metadata", "/html/metadata?op=Authenticate"])
def test_point_59_an_unknown_operation_is_not_found(path, wire):
    assert wire.get(path).status == 404


def test_samples_are_readable_by_their_own_formats():
    from authn.servicestack.dtos import Authenticate
    from authn.servicestack.formats import CSV, XML
    from authn.servicestack.metadata import sample

    assert xml.read(sample(Authenticate, XML), Authenticate).meta == {"String": "String"}
    assert csv.read(sample(Authenticate, CSV), Authenticate).meta == {"String": "String"}


def test_the_pages_hold_no_script_and_name_no_other_host(wire):
    for path in ("/metadata", "/jsv/metadata?op=Authenticate", "/auth"):
        text = wire.get(path, accept="text/html").text
        assert "<script" not in text
        assert "http" not in re.sub(r"HTTP/1.1|HTTP \+|HTTP <b>|sample HTTP|http://(schemas|www.w3)", "", text)


def test_nobody_s_page_is_the_same_for_the_wire(ursula):
    assert Wire().get("/html/reply/Authenticate", accept=None).status == 401

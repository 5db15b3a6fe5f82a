"""Content negotiation, and bodies that cannot be read."""

import json
from xml.etree import ElementTree

import pytest

from authn.servicestack.formats import jsv
from tests.authn.servicestack.wire import (
    FORM,
    INVALID,
    LOGIN,
    NAME,
    TYPES,
    Wire,
    is_ordinary_login,
    jsv_login,
    sessions,
    xml_login,
)

pytestmark = pytest.mark.django_db
JSON, JSV, XML, HTML = (
    "application/json; charset=utf-8",
    "application/jsv",
    "application/xml",
    "text/html; charset=utf-8",
)
NEGOTIATED = [
    ("/auth", "*/*", "application/json", JSON),
    ("/auth", None, "application/json", JSON),
    ("/auth", "*/*", "", HTML),
    ("/auth", None, "", HTML),
    ("/auth", "*/*", FORM, HTML),
    ("/auth", "text/html", "application/json", HTML),
    ("/auth", "text/html,application/xhtml+xml,*/*;q=0.8", "", HTML),
    ("/auth", "application/xml, application/json", "", JSON),
    ("/auth", "application/xml, application/json", "application/xml", XML),
    ("/auth", "application/jsv, application/xml;q=0.1", "", XML),
    ("/auth", "text/xml", "", XML),
    ("/auth", "text/json", "", JSON),
    ("/auth", "text/csv, */*", "", HTML),
    ("/auth", "image/png", "", HTML),
    ("/auth", "APPLICATION/JSON", "", JSON),
    ("/auth?format=nosuch", "application/json", "", JSON),
    ("/auth?format=xml", "application/json", "", XML),
    ("/api/Authenticate", "text/html", "", JSON),
    ("/json/reply/Authenticate", "text/html", "", JSON),
    ("/json/oneway/Authenticate", "text/html", "", JSON),
    ("/jsv/reply/Authenticate", "text/html", "", JSV),
    ("/xml/reply/Authenticate", "text/html", "", XML),
    ("/csv/reply/Authenticate", "text/html", "", "text/csv"),
    ("/html/reply/Authenticate", "application/json", "", HTML),
]


@pytest.mark.parametrize(("path", "accept", "type_", "expected"), NEGOTIATED)
def test_the_format_of_a_response(path, accept, type_, expected, wire):
    response = wire.get(path, accept=accept, type_=type_)

    assert (response.status, response.headers["Content-Type"]) == (401, expected)
    assert "Accept" in response.headers["Vary"]


@pytest.mark.parametrize("path", ["/api/Authenticate", "/json/reply/Authenticate"])
def test_a_json_route_reads_json_under_any_content_type(path, wire):
    response = wire.post(path, json.dumps(LOGIN), type_="text/plain;charset=UTF-8", accept="*/*")

    assert is_ordinary_login(response)


def test_a_get_may_name_a_type_without_a_body(wire):
    wire.log_in()

    assert wire.get("/auth", type_="application/json").status == 200
    assert wire.get("/api/Authenticate", type_="application/json", accept="*/*").status == 200


BROKEN_JSON = ["{", "[]", "null", '"x"', "1", "{'a':1}", '{"a":1}x', '{"a":1,"a":2}', '{"UserName":NaN}']
BROKEN_JSON += [
    '{"UserName":"\\ud800"}',
    '{"UserName":"\\u0000"}',
    '{"UserName":["x"]}',
    '{"Meta":"x"}',
    '{"Meta":{"a":[]}}',
]
BROKEN = [(path, "application/json", body) for path in ("/auth", "/api/Authenticate") for body in BROKEN_JSON]
BROKEN += [("/auth", "application/jsv", body) for body in ("{", "[]", "null", '"x"', "x", "{a}", "{Meta:x}")]
BROKEN += [("/auth", "application/xml", body) for body in ("<", "[]", "null", '"x"')]


@pytest.mark.parametrize(("path", "type_", "body"), BROKEN)
def test_a_broken_body_is_refused(path, type_, body, wire):
    response = wire.post(path, body, type_=type_)

    assert response.status == 400
    assert response.error()["errorCode"] == "SerializationException"
    assert "stackTrace" not in response.error()
    assert "Traceback" not in response.text


def test_the_refusal_of_a_broken_body_is_an_error_response(wire):
    response = wire.post("/xml/reply/Authenticate", "<", type_="application/xml")

    assert ElementTree.fromstring(response.text).tag == f"{{{TYPES}}}ErrorResponse"  # noqa: S314  # our own response


@pytest.mark.parametrize("body", [b"\xff\xfe", b'{"UserName":"\xff"}', b"\x00", b"{UserName:a\x00}"])
@pytest.mark.parametrize("format_", ["json", "xml", "jsv", "csv"])
def test_invalid_utf_8_is_refused(format_, body, wire):
    assert wire.post(f"/{format_}/reply/Authenticate", body).status == 400


def test_an_unknown_content_type_is_refused(wire):
    response = wire.post("/auth/credentials", json.dumps(LOGIN), type_="application/x-foo")

    assert response.status == 415
    assert response.error()["errorCode"] == "UnsupportedMediaType"
    assert sessions() == 0


def test_a_body_without_a_content_type_is_refused(wire):
    assert wire.post("/auth/credentials", json.dumps(LOGIN)).status == 415


@pytest.mark.parametrize("path", ["/json/reply/Authenticate", "/api/Authenticate"])
def test_a_json_route_needs_no_content_type(path, wire):
    assert is_ordinary_login(wire.post(path, json.dumps(LOGIN), type_="application/x-foo"))


@pytest.mark.parametrize("path", ["/auth?RememberMe=maybe", "/auth/credentials?UseTokenCookie=x"])
def test_an_invalid_boolean_is_reported_with_its_member(path, wire):
    response = wire.post(path, LOGIN)

    assert response.status == 400
    assert response.error()["errorCode"] == "SerializationException"
    assert response.error()["message"] == "Unable to bind to request 'Authenticate'"
    assert response.error()["errors"][0]["fieldName"] == path.partition("?")[2].partition("=")[0]


def test_an_invalid_boolean_in_a_form_or_json_is_reported(wire):
    for type_ in (FORM, "application/json"):
        response = wire.post("/auth", LOGIN | {"RememberMe": "maybe"}, type_=type_)
        assert (response.status, response.error()["errors"][0]["fieldName"]) == (400, "RememberMe")


@pytest.mark.parametrize("true", ["true", "True", "1", "on", "t", "y"])
def test_spellings_of_true(true, wire):
    wire.post(f"/auth?RememberMe={true}", LOGIN)

    assert wire.cookie("ss-opt") == "perm"


@pytest.mark.parametrize("true", [True, "true", "True", 1, "1"])
def test_spellings_of_true_in_json(true, wire):
    wire.post("/auth", LOGIN | {"RememberMe": true})

    assert wire.cookie("ss-opt") == "perm"


@pytest.mark.parametrize("false", ["false", "False", "0", "f", "n"])
def test_spellings_of_false(false, wire):
    wire.post(f"/auth?RememberMe={false}", LOGIN)

    assert wire.cookie("ss-opt") == "temp"


def test_a_map_in_a_query_is_jsv(wire):
    assert wire.post("/auth?Meta={a:b}", LOGIN).status == 200
    for broken in ("x", "{a:b", "[a]"):
        response = wire.post(f"/auth?Meta={broken}", LOGIN)
        assert (response.status, response.error()["errors"][0]["fieldName"]) == (400, "Meta")


def test_a_number_is_accepted_as_a_string(wire, ursula):
    ursula.set_password("123")
    ursula.save()

    assert wire.post("/auth", {"UserName": NAME, "Password": 123}).status == 200


def test_a_refusal_reads_the_same_in_every_format(wire):
    bodies = {"json": json.dumps(LOGIN | {"Password": "x"}), "jsv": jsv_login("x"), "xml": xml_login("x")}
    responses = {name: wire.post(f"/{name}/reply/Authenticate", body) for name, body in bodies.items()}

    assert {response.status for response in responses.values()} == {401}
    assert responses["json"].error() == INVALID
    decoded = jsv.decode(responses["jsv"].text, dict[str, str])
    assert isinstance(decoded, dict)
    assert decoded["responseStatus"]


def test_a_form_overrides_the_query_and_empty_values_are_ignored(wire):
    response = wire.post("/auth?UserName=x&Password=&provider=", LOGIN, type_=FORM)

    assert is_ordinary_login(response)
    assert Wire().post(f"/auth?UserName={NAME}", LOGIN | {"UserName": "x"}).status == 200

"""Formats of requests and answers: points 37 to 44 and 48 to 53."""

import csv
import io
import json
from xml.etree import ElementTree

import pytest

from authn.servicestack.dtos import Authenticate
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
    xml,
    xml_login,
)
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.database, pytest.mark.django_db]
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
MEMBERS = ["UserId", "SessionId", "UserName", "DisplayName", "ReferrerUrl", "BearerToken", "RefreshToken"]
MEMBERS += ["ProfileUrl", "Roles", "Permissions", "ResponseStatus", "Meta"]


def _tags(element) -> list[str]:
    return [each.tag.removeprefix(f"{{{TYPES}}}") for each in element]


def _texts(answer) -> dict[str, str | None]:
    root = ElementTree.fromstring(answer.text)  # noqa: S314  # our own answer
    return {each.tag.removeprefix(f"{{{TYPES}}}"): each.text for each in root.iter()}


def _rows(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_point_37_jsv_logs_in(wire):
    body = f'{{provider:credentials,UserName:{NAME},Password:"{PASSWORD}"}}'

    answer = wire.post("/jsv/reply/Authenticate", body, type_="application/jsv", accept=None)

    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/jsv")
    assert answer.text.startswith("{userId:")
    assert answer.text.endswith(",roles:[],permissions:[],responseStatus:{}}")
    assert answer.jsv().user_name == NAME
    assert answer.jsv().session_id == wire.cookie("ss-id")


@pytest.mark.parametrize("path", ["/auth", "/auth/credentials"])
def test_point_38_the_alias_of_the_documentation_is_taken_and_given(path, wire):
    answer = wire.post(path, jsv_login(), type_="text/jsv", accept="text/jsv")

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/jsv")
    assert "sessionId:" in answer.text
    assert answer.jsv().user_name == NAME


def test_point_38_booleans_are_read_with_a_capital(wire):
    body = jsv_login().replace("}", ",rememberMe:True,useTokenCookie:False}")

    wire.post("/auth", body, type_="text/jsv", accept="text/jsv")

    assert wire.cookie("ss-opt") == "perm"


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/auth/credentials.jsv", "application/json"),
        ("/auth.jsv", "text/html"),
        ("/AUTH.JSV", None),
        ("/auth?format=jsv", "application/json"),
        ("/auth.jsv?format=json", "application/json"),
        ("/auth", "application/jsv"),
        ("/json/reply/Authenticate?format=jsv", "application/json"),
    ],
)
def test_point_39_suffix_beats_format_beats_accept(path, accept, wire):
    answer = wire.post(path, LOGIN, accept=accept)

    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/jsv")
    assert answer.jsv().user_name == NAME


def test_point_40_a_refusal_is_readable_in_jsv(wire):
    answer = wire.post("/jsv/reply/Authenticate", jsv_login("wrong"), type_="application/jsv")

    assert answer.status == 401
    assert answer.text == "{responseStatus:{errorCode:Unauthorized,message:Invalid Username or Password,errors:[]}}"


def test_point_40_field_errors_are_readable_in_jsv(wire):
    answer = wire.post("/auth/credentials.jsv", "{}", type_="application/jsv")

    status = answer.jsv().response_status
    assert answer.status == 400
    assert answer.text.startswith("{responseStatus:{errorCode:ValidationException,")
    assert [each.field_name for each in status.errors] == ["UserName", "Password"]
    assert status.errors[0].meta == {"PropertyName": "User Name"}
    assert "{errorCode:NotEmpty,fieldName:UserName,message:'User Name' must not be empty.," in answer.text


def test_point_41_xml_logs_in(wire):
    answer = wire.post("/xml/reply/Authenticate", xml_login(), type_="application/xml", accept=None)

    root = ElementTree.fromstring(answer.text)  # noqa: S314  # our own answer
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/xml")
    assert root.tag == f"{{{TYPES}}}AuthenticateResponse"
    assert _tags(root) == MEMBERS
    assert _texts(answer)["UserName"] == NAME
    assert root.find(f"{{{TYPES}}}Meta").get(NIL) == "true"


def test_point_41_a_list_and_a_map_are_written_as_net_writes_them():
    from authn.servicestack.dtos import AuthenticateResponse, ResponseStatus
    from authn.servicestack.formats import xml as codec

    arrays = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
    message = AuthenticateResponse(
        user_id="1",
        session_id="abc",
        user_name="u@x.y",
        display_name='Doe, "J"',
        bearer_token="a.b.c",
        refresh_token="d.e.f",
        profile_url="http://h/p",
        roles=["Admin", "R,1"],
        permissions=[],
        response_status=ResponseStatus(),
        meta={"k": "v"},
    )

    assert codec.write(message) == (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<AuthenticateResponse xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
        f'xmlns="{TYPES}"><UserId>1</UserId><SessionId>abc</SessionId><UserName>u@x.y</UserName>'
        '<DisplayName>Doe, "J"</DisplayName><ReferrerUrl i:nil="true" /><BearerToken>a.b.c</BearerToken>'
        "<RefreshToken>d.e.f</RefreshToken><ProfileUrl>http://h/p</ProfileUrl>"
        f'<Roles xmlns:d2p1="{arrays}"><d2p1:string>Admin</d2p1:string><d2p1:string>R,1</d2p1:string></Roles>'
        f'<Permissions xmlns:d2p1="{arrays}" /><ResponseStatus><ErrorCode i:nil="true" /><Message i:nil="true" />'
        f'<StackTrace i:nil="true" /><Errors i:nil="true" /><Meta xmlns:d3p1="{arrays}" i:nil="true" />'
        f'</ResponseStatus><Meta xmlns:d2p1="{arrays}"><d2p1:KeyValueOfstringstring><d2p1:Key>k</d2p1:Key>'
        "<d2p1:Value>v</d2p1:Value></d2p1:KeyValueOfstringstring></Meta></AuthenticateResponse>"
    )


def test_point_42_the_order_of_elements_does_not_matter(wire):
    body = xml(f"<Password>{PASSWORD}</Password><unheard>of</unheard><UserName>{NAME}</UserName>")

    assert wire.post("/auth/credentials", body, type_="text/xml", accept="text/xml").status == 200


def test_point_42_nor_do_prefixes(wire):
    body = (
        f'<s:Authenticate xmlns:s="{TYPES}"><s:UserName>{NAME}</s:UserName>'
        f"<s:Password><![CDATA[{PASSWORD}]]></s:Password></s:Authenticate>"
    )

    assert wire.post("/auth/credentials", body, type_="application/xml").status == 200


BAD_XML = {
    "no namespace": f"<Authenticate><UserName>{NAME}</UserName></Authenticate>",
    "another namespace": f'<Authenticate xmlns="urn:x"><UserName>{NAME}</UserName></Authenticate>',
    "another root": xml("", root="AuthenticateResponse"),
    "a member of another namespace": xml(f'<UserName xmlns="urn:x">{NAME}</UserName>'),
    "a document type": f"<!DOCTYPE Authenticate>{xml('').strip(chr(0xFEFF))}",
    "an entity": (
        f'<!DOCTYPE a [<!ENTITY e "{NAME}">]><Authenticate xmlns="{TYPES}"><UserName>&e;</UserName></Authenticate>'
    ),
    "an outer entity": (
        '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        f'<Authenticate xmlns="{TYPES}"><UserName>&e;</UserName></Authenticate>'
    ),
    "an outer document type": f'<!DOCTYPE a SYSTEM "http://localhost:1/x.dtd"><Authenticate xmlns="{TYPES}"/>',
    "laughter": (
        '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>'
        f'<Authenticate xmlns="{TYPES}"><UserName>&c;</UserName></Authenticate>'
    ),
    "an element in a text": xml("<UserName><x/></UserName>"),
    "a map of no pairs": xml("<Meta><x/></Meta>"),
    "a half": xml("")[:-5],
    "nothing but a mark": "\ufeff<",
    "two roots": f"{xml('')}<x/>",
}


@pytest.mark.parametrize("body", BAD_XML.values(), ids=BAD_XML)
def test_point_42_other_xml_is_refused(body, wire):
    answer = wire.post("/xml/reply/Authenticate", body, type_="application/xml")

    assert answer.status == 400
    assert _texts(answer)["ErrorCode"] == "SerializationException"
    assert "root:" not in answer.text


def test_point_42_a_map_in_xml_is_read():
    from authn.servicestack.formats import xml as codec

    pair = "<a:KeyValueOfstringstring><a:Key>k</a:Key><a:Value>v</a:Value></a:KeyValueOfstringstring>"
    arrays = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"

    message = codec.read(xml(f'<Meta xmlns:a="{arrays}">{pair}</Meta>').strip("\ufeff"), Authenticate)

    assert message.meta == {"k": "v"}


def test_point_43_a_refusal_is_readable_in_xml(wire):
    answer = wire.post("/xml/reply/Authenticate", xml_login("wrong"), type_="application/xml")

    root = ElementTree.fromstring(answer.text)  # noqa: S314  # our own answer
    assert (answer.status, root.tag) == (401, f"{{{TYPES}}}AuthenticateResponse")
    assert _tags(root) == MEMBERS
    assert _texts(answer)["ErrorCode"] == "Unauthorized"
    assert _texts(answer)["Message"] == "Invalid Username or Password"


def test_point_43_field_errors_are_readable_in_xml(wire):
    answer = wire.post("/xml/reply/Authenticate", xml("<provider>credentials</provider>"), type_="application/xml")

    root = ElementTree.fromstring(answer.text)  # noqa: S314  # our own answer
    errors = root.find(f"{{{TYPES}}}ResponseStatus/{{{TYPES}}}Errors")
    assert answer.status == 400
    assert _tags(errors) == ["ResponseError", "ResponseError"]
    assert _tags(errors[0]) == ["ErrorCode", "FieldName", "Message", "Meta"]


@pytest.mark.parametrize(
    ("path", "accept"),
    [("/auth/credentials?format=csv", None), ("/auth/credentials.csv", None), ("/auth/credentials", "text/csv"),
     ("/csv/reply/Authenticate", "text/html")],
)  # fmt: skip
def test_point_44_csv_is_a_row_of_names_and_a_row_of_values(path, accept, wire):
    body = LOGIN if "csv/reply" not in path else f"UserName,Password\r\n{NAME},{PASSWORD}\r\n"

    answer = wire.post(path, body, accept=accept)

    rows = _rows(answer)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/csv")
    assert answer.headers["Content-Disposition"] == "attachment;filename=Authenticate.csv"
    assert answer.text.count("\r\n") == answer.text.count("\n") == 2
    assert len(rows) == 1
    assert (rows[0]["userName"], rows[0]["roles"], rows[0]["responseStatus"]) == (NAME, "[]", "{}")


def test_point_44_log_out_and_refusals_are_csv_too(wire):
    out = wire.get("/auth/logout.csv")
    refused = wire.post("/auth/credentials.csv", LOGIN | {"Password": "wrong"})
    unread = wire.post("/csv/reply/Authenticate", '"')

    assert (out.status, out.text) == (200, "responseStatus\r\n{}\r\n")
    assert (refused.status, unread.status) == (401, 400)
    assert refused.text == (
        'responseStatus\r\n"{errorCode:Unauthorized,message:Invalid Username or Password,errors:[]}"\r\n'
    )
    assert unread.headers["Content-Type"] == "text/csv"


def test_point_44_a_spreadsheet_finds_no_formula(wire, a_person):
    a_person("=1+1@acme.example")

    answer = wire.post("/auth.csv", LOGIN | {"UserName": "=1+1@acme.example"})

    assert _rows(answer)[0]["userName"] == "'=1+1@acme.example"


@pytest.mark.parametrize("body", ["UserName\r\n", "a,b\r\nc\r\n", "a\r\nb\r\nc\r\n", 'a\r\n"b', "\r\n\r\n,"])
def test_point_44_csv_that_is_no_message_is_refused(body, wire):
    assert wire.post("/csv/reply/Authenticate", body, type_="text/csv").status == 400


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
def test_point_48_the_format_of_an_answer(path, accept, type_, expected, wire):
    answer = wire.get(path, accept=accept, type_=type_)

    assert (answer.status, answer.headers["Content-Type"]) == (401, expected)
    assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize("path", ["/api/Authenticate", "/json/reply/Authenticate"])
def test_point_49_json_is_read_whatever_it_is_called(path, wire):
    answer = wire.post(path, json.dumps(LOGIN), type_="text/plain;charset=UTF-8", accept="*/*")

    assert is_ordinary_login(answer)


def test_point_50_a_get_may_name_a_type_without_a_body(wire):
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
def test_point_51_a_broken_body_is_refused(path, type_, body, wire):
    answer = wire.post(path, body, type_=type_)

    assert answer.status == 400
    assert answer.error()["errorCode"] == "SerializationException"
    assert "stackTrace" not in answer.error()
    assert "Traceback" not in answer.text


def test_point_51_the_refusal_of_a_broken_body_is_an_error_response(wire):
    answer = wire.post("/xml/reply/Authenticate", "<", type_="application/xml")

    assert ElementTree.fromstring(answer.text).tag == f"{{{TYPES}}}ErrorResponse"  # noqa: S314  # our own answer


@pytest.mark.parametrize("body", [b"\xff\xfe", b'{"UserName":"\xff"}', b"\x00", b"{UserName:a\x00}"])
@pytest.mark.parametrize("format_", ["json", "xml", "jsv", "csv"])
def test_point_51_odd_bytes_are_refused(format_, body, wire):
    assert wire.post(f"/{format_}/reply/Authenticate", body).status == 400


def test_point_52_an_unknown_type_is_refused_and_never_a_log_in(wire):
    answer = wire.post("/auth/credentials", json.dumps(LOGIN), type_="application/x-foo")

    assert answer.status == 415
    assert answer.error()["errorCode"] == "UnsupportedMediaType"
    assert sessions() == 0


def test_point_52_nor_is_a_body_without_a_type_read(wire):
    assert wire.post("/auth/credentials", json.dumps(LOGIN)).status == 415


@pytest.mark.parametrize("path", ["/json/reply/Authenticate", "/api/Authenticate"])
def test_point_52_on_a_json_route_it_is_json(path, wire):
    assert is_ordinary_login(wire.post(path, json.dumps(LOGIN), type_="application/x-foo"))


@pytest.mark.parametrize("path", ["/auth?RememberMe=maybe", "/auth/credentials?UseTokenCookie=x"])
def test_point_53_a_boolean_that_is_none_is_named(path, wire):
    answer = wire.post(path, LOGIN)

    assert answer.status == 400
    assert answer.error()["errorCode"] == "SerializationException"
    assert answer.error()["message"] == "Unable to bind to request 'Authenticate'"
    assert answer.error()["errors"][0]["fieldName"] == path.partition("?")[2].partition("=")[0]


def test_point_53_so_it_is_in_a_form_and_in_json(wire):
    for type_ in (FORM, "application/json"):
        answer = wire.post("/auth", LOGIN | {"RememberMe": "maybe"}, type_=type_)
        assert (answer.status, answer.error()["errors"][0]["fieldName"]) == (400, "RememberMe")


@pytest.mark.parametrize("true", ["true", "True", "1", "on", "t", "y"])
def test_point_53_spellings_of_true(true, wire):
    wire.post(f"/auth?RememberMe={true}", LOGIN)

    assert wire.cookie("ss-opt") == "perm"


@pytest.mark.parametrize("true", [True, "true", "True", 1, "1"])
def test_point_53_spellings_of_true_in_json(true, wire):
    wire.post("/auth", LOGIN | {"RememberMe": true})

    assert wire.cookie("ss-opt") == "perm"


@pytest.mark.parametrize("false", ["false", "False", "0", "f", "n"])
def test_point_53_spellings_of_false(false, wire):
    wire.post(f"/auth?RememberMe={false}", LOGIN)

    assert wire.cookie("ss-opt") == "temp"


def test_a_map_in_a_query_is_jsv(wire):
    assert wire.post("/auth?Meta={a:b}", LOGIN).status == 200
    for broken in ("x", "{a:b", "[a]"):
        answer = wire.post(f"/auth?Meta={broken}", LOGIN)
        assert (answer.status, answer.error()["errors"][0]["fieldName"]) == (400, "Meta")


def test_a_number_for_a_text_is_taken_as_text(wire, ursula):
    ursula.set_password("123")
    ursula.save()

    assert wire.post("/auth", {"UserName": NAME, "Password": 123}).status == 200


def test_a_refusal_reads_the_same_in_every_format(wire):
    bodies = {"json": json.dumps(LOGIN | {"Password": "x"}), "jsv": jsv_login("x"), "xml": xml_login("x")}
    answers = {name: wire.post(f"/{name}/reply/Authenticate", body) for name, body in bodies.items()}

    assert {answer.status for answer in answers.values()} == {401}
    assert answers["json"].error() == INVALID
    assert jsv.decode(answers["jsv"].text, dict[str, str])["responseStatus"]


def test_a_form_beats_the_query_and_empty_values_say_nothing(wire):
    answer = wire.post("/auth?UserName=x&Password=&provider=", LOGIN, type_=FORM)

    assert is_ordinary_login(answer)
    assert Wire().post(f"/auth?UserName={NAME}", LOGIN | {"UserName": "x"}).status == 200

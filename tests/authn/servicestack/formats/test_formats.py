"""Requests and responses in JSV, XML and CSV."""

import csv
import io
import socket
from xml.etree import ElementTree

import pytest

from authn.servicestack.dtos import Authenticate
from tests.authn.servicestack.wire import (
    LOGIN,
    NAME,
    TYPES,
    jsv_login,
    xml,
    xml_login,
)
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
MEMBERS = ["UserId", "SessionId", "UserName", "DisplayName", "ReferrerUrl", "BearerToken", "RefreshToken"]
MEMBERS += ["ProfileUrl", "Roles", "Permissions", "ResponseStatus", "Meta"]


def _tags(element) -> list[str]:
    return [each.tag.removeprefix(f"{{{TYPES}}}") for each in element]


def _texts(response) -> dict[str, str | None]:
    root = ElementTree.fromstring(response.text)  # noqa: S314  # our own response
    return {each.tag.removeprefix(f"{{{TYPES}}}"): each.text for each in root.iter()}


def _rows(response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


def test_jsv_logs_in(wire):
    body = f'{{provider:credentials,UserName:{NAME},Password:"{PASSWORD}"}}'

    response = wire.post("/jsv/reply/Authenticate", body, type_="application/jsv", accept=None)

    assert (response.status, response.headers["Content-Type"]) == (200, "application/jsv")
    assert response.text.startswith("{userId:")
    assert response.text.endswith(",roles:[],permissions:[],responseStatus:{}}")
    assert response.jsv().user_name == NAME
    assert response.jsv().session_id == wire.cookie("ss-id")


@pytest.mark.parametrize("path", ["/auth", "/auth/credentials"])
def test_the_documented_alias_of_jsv_is_accepted_and_returned(path, wire):
    response = wire.post(path, jsv_login(), type_="text/jsv", accept="text/jsv")

    assert (response.status, response.headers["Content-Type"]) == (200, "text/jsv")
    assert "sessionId:" in response.text
    assert response.jsv().user_name == NAME


def test_capitalized_booleans_are_read(wire):
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
def test_the_suffix_overrides_format_which_overrides_accept(path, accept, wire):
    response = wire.post(path, LOGIN, accept=accept)

    assert (response.status, response.headers["Content-Type"]) == (200, "application/jsv")
    assert response.jsv().user_name == NAME


def test_a_refusal_is_readable_in_jsv(wire):
    response = wire.post("/jsv/reply/Authenticate", jsv_login("wrong"), type_="application/jsv")

    assert response.status == 401
    assert response.text == "{responseStatus:{errorCode:Unauthorized,message:Invalid Username or Password,errors:[]}}"


def test_field_errors_are_readable_in_jsv(wire):
    response = wire.post("/auth/credentials.jsv", "{}", type_="application/jsv")

    status = response.jsv().response_status
    assert response.status == 400
    assert response.text.startswith("{responseStatus:{errorCode:ValidationException,")
    assert [each.field_name for each in status.errors] == ["UserName", "Password"]
    assert status.errors[0].meta == {"PropertyName": "User Name"}
    assert "{errorCode:NotEmpty,fieldName:UserName,message:'User Name' must not be empty.," in response.text


def test_xml_logs_in(wire):
    response = wire.post("/xml/reply/Authenticate", xml_login(), type_="application/xml", accept=None)

    root = ElementTree.fromstring(response.text)  # noqa: S314  # our own response
    assert (response.status, response.headers["Content-Type"]) == (200, "application/xml")
    assert root.tag == f"{{{TYPES}}}AuthenticateResponse"
    assert _tags(root) == MEMBERS
    assert _texts(response)["UserName"] == NAME
    meta = root.find(f"{{{TYPES}}}Meta")
    assert meta is not None
    assert meta.get(NIL) == "true"


def test_a_list_and_a_map_are_written_as_in_dot_net():
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


def test_the_order_of_elements_does_not_matter(wire):
    body = xml(f"<Password>{PASSWORD}</Password><unheard>of</unheard><UserName>{NAME}</UserName>")

    assert wire.post("/auth/credentials", body, type_="text/xml", accept="text/xml").status == 200


def test_prefixes_of_elements_do_not_matter(wire):
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
def test_invalid_xml_is_refused(body, wire):
    response = wire.post("/xml/reply/Authenticate", body, type_="application/xml")

    assert response.status == 400
    assert _texts(response)["ErrorCode"] == "SerializationException"
    assert "root:" not in response.text


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE a SYSTEM "{url}">',
        '<!DOCTYPE a PUBLIC "-//x//y" "{url}">',
        '<!DOCTYPE a [<!ENTITY e SYSTEM "{url}">]>',
        '<!DOCTYPE a [<!ENTITY % e SYSTEM "{url}"> %e;]>',
    ],
)
def test_external_entities_are_not_fetched(doctype, wire):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        doctype = doctype.replace("{url}", f"http://127.0.0.1:{listener.getsockname()[1]}/x.dtd")
        text = "&e;" if "ENTITY e" in doctype else ""
        body = f'{doctype}<Authenticate xmlns="{TYPES}"><UserName>{text}</UserName></Authenticate>'

        assert wire.post("/xml/reply/Authenticate", body, type_="application/xml").status == 400

        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_map_in_xml_is_read():
    from authn.servicestack.formats import xml as codec

    pair = "<a:KeyValueOfstringstring><a:Key>k</a:Key><a:Value>v</a:Value></a:KeyValueOfstringstring>"
    arrays = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"

    message = codec.read(xml(f'<Meta xmlns:a="{arrays}">{pair}</Meta>').strip("\ufeff"), Authenticate)

    assert message.meta == {"k": "v"}


def test_a_refusal_is_readable_in_xml(wire):
    response = wire.post("/xml/reply/Authenticate", xml_login("wrong"), type_="application/xml")

    root = ElementTree.fromstring(response.text)  # noqa: S314  # our own response
    assert (response.status, root.tag) == (401, f"{{{TYPES}}}AuthenticateResponse")
    assert _tags(root) == MEMBERS
    assert _texts(response)["ErrorCode"] == "Unauthorized"
    assert _texts(response)["Message"] == "Invalid Username or Password"


def test_field_errors_are_readable_in_xml(wire):
    response = wire.post("/xml/reply/Authenticate", xml("<provider>credentials</provider>"), type_="application/xml")

    root = ElementTree.fromstring(response.text)  # noqa: S314  # our own response
    errors = root.find(f"{{{TYPES}}}ResponseStatus/{{{TYPES}}}Errors")
    assert response.status == 400
    assert errors is not None
    assert _tags(errors) == ["ResponseError", "ResponseError"]
    assert _tags(errors[0]) == ["ErrorCode", "FieldName", "Message", "Meta"]


@pytest.mark.parametrize(
    ("path", "accept"),
    [("/auth/credentials?format=csv", None), ("/auth/credentials.csv", None), ("/auth/credentials", "text/csv"),
     ("/csv/reply/Authenticate", "text/html")],
)  # fmt: skip
def test_csv_is_a_row_of_names_and_a_row_of_values(path, accept, wire):
    body = LOGIN if "csv/reply" not in path else f"UserName,Password\r\n{NAME},{PASSWORD}\r\n"

    response = wire.post(path, body, accept=accept)

    rows = _rows(response)
    assert (response.status, response.headers["Content-Type"]) == (200, "text/csv")
    assert response.headers["Content-Disposition"] == "attachment;filename=Authenticate.csv"
    assert response.text.count("\r\n") == response.text.count("\n") == 2
    assert len(rows) == 1
    assert (rows[0]["userName"], rows[0]["roles"], rows[0]["responseStatus"]) == (NAME, "[]", "{}")


def test_a_log_out_and_a_refusal_are_csv(wire):
    out = wire.get("/auth/logout.csv")
    refused = wire.post("/auth/credentials.csv", LOGIN | {"Password": "wrong"})
    unread = wire.post("/csv/reply/Authenticate", '"')

    assert (out.status, out.text) == (200, "responseStatus\r\n{}\r\n")
    assert (refused.status, unread.status) == (401, 400)
    assert refused.text == (
        'responseStatus\r\n"{errorCode:Unauthorized,message:Invalid Username or Password,errors:[]}"\r\n'
    )
    assert unread.headers["Content-Type"] == "text/csv"


def test_csv_values_are_not_spreadsheet_formulas(wire, a_person):
    a_person("=1+1@acme.example")

    response = wire.post("/auth.csv", LOGIN | {"UserName": "=1+1@acme.example"})

    assert _rows(response)[0]["userName"] == "'=1+1@acme.example"


@pytest.mark.parametrize("body", ["UserName\r\n", "a,b\r\nc\r\n", "a\r\nb\r\nc\r\n", 'a\r\n"b', "\r\n\r\n,"])
def test_invalid_csv_is_refused(body, wire):
    assert wire.post("/csv/reply/Authenticate", body, type_="text/csv").status == 400

"""Bodies that are not JSON, too large, or not as documented."""

import gzip
import json

import pytest

from authn.models import ApplicationToken, AuditEvent, LoginFamily
from tests.bad_input.assertions import GOOD_AUTH_URL, is_clear, rows
from tests.orgs.factories import ORG, ORGS, REGISTER, a_registered_org, an_org

pytestmark = pytest.mark.django_db
CI = {"username": "ci@acme.example"}
LOGIN = "/sfp/api/auth/admin/login"
REFRESH = "/sfp/api/auth/refresh"
TOKENS = "/sfp/api/application-tokens"

WRONG_TYPES: dict[str, dict[str, object]] = {
    "username number": {"username": 5},
    "username null": {"username": None},
    "username empty": {"username": ""},
    "username long": {"username": "a" * 300},
    "instanceUrl foreign": {"instanceUrl": "https://evil.example"},
    "instanceUrl http": {"instanceUrl": "http://acme.my.salesforce.com"},
    "instanceUrl with path": {"instanceUrl": "https://acme.my.salesforce.com/x"},
    "instanceUrl with user": {"instanceUrl": "https://a@acme.my.salesforce.com"},
    "instanceUrl list": {"instanceUrl": []},
    "isDevHub text": {"isDevHub": "true"},
    "isDevHub number": {"isDevHub": 1},
    "isDevHub null": {"isDevHub": None},
    "isDefault text": {"isDefault": "yes"},
    "default that is not a DevHub": {"isDefault": True, "isDevHub": False},
    "metadata list": {"metadata": []},
    "metadata text": {"metadata": "a=b"},
    "metadata null": {"metadata": None},
    "metadata long key": {"metadata": {"k" * 101: 1}},
    "metadata large": {"metadata": {"k": "v" * 70_000}},
    "skipValidation while off": {"skipValidation": True, "username": "ci@acme.example"},
    "skipValidation text": {"skipValidation": "no"},
}


@pytest.mark.database
def test_a_registration_with_an_invalid_field_is_refused(owner, salesforce, each):
    org = an_org(salesforce)
    for name, wish in WRONG_TYPES.items():
        with each(name):
            response = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), **wish})

            is_clear(response)
            assert rows() == 0
            assert salesforce.calls == []


RAW_BODIES = {
    "nothing": b"",
    "no JSON": b"sfdxAuthUrl=x",
    "a list": b"[]",
    "a string": b'"x"',
    "a number": b"5",
    "null": b"null",
    "not UTF-8": b'{"sfdxAuthUrl": "\xff\xfe"}',
    "a byte order mark of 16 bits": '{"a": 1}'.encode("utf-16"),
    "half an object": b'{"sfdxAuthUrl": ',
    "NUL": b'{"sfdxAuthUrl": "x", "metadata": {"a": "\\u0000"}}',
    "NUL in a key": b'{"sfdxAuthUrl": "x", "metadata": {"\\u0000": 1}}',
    "half a surrogate pair": b'{"sfdxAuthUrl": "x", "metadata": {"a": "\\ud800"}}',
    "half a surrogate pair in a key": b'{"sfdxAuthUrl": "x", "metadata": {"\\udfff": 1}}',
    "depth 5,000": b'{"metadata": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}",
    "depth 60,000 of lists": b"[" * 60_000,
    "1e400": b'{"sfdxAuthUrl": "x", "metadata": {"a": 1e400}}',
    "NaN": b'{"sfdxAuthUrl": "x", "metadata": {"a": NaN}}',
    "Infinity": b'{"sfdxAuthUrl": "x", "metadata": {"a": -Infinity}}',
    "a number of 5,000 digits": b'{"sfdxAuthUrl": "x", "metadata": {"a": ' + b"9" * 5000 + b"}}",
    "a key twice": b'{"sfdxAuthUrl": "x", "sfdxAuthUrl": "y"}',
    "a key twice, deeper": b'{"sfdxAuthUrl": "x", "metadata": {"a": 1, "a": 2}}',
}
QUERY = {ORG: CI}
JSON_ROUTES = [("POST", REGISTER), ("PATCH", ORG), ("POST", LOGIN), ("POST", REFRESH), ("POST", TOKENS)]
json_routes = pytest.mark.parametrize(
    ("method", "path"), JSON_ROUTES, ids=[path.rpartition("/")[2] for _, path in JSON_ROUTES]
)


@pytest.mark.database
@json_routes
def test_a_body_of_invalid_json_is_refused(method, path, owner, salesforce, each):
    a_registered_org(owner, salesforce)
    before, logins, calls = rows(), LoginFamily.objects.count(), len(salesforce.calls)
    for name, body in RAW_BODIES.items():
        if (path, body) == (ORG, b""):
            continue  # An empty change is valid.
        with each(name):
            response = owner.send(method, path, body, query=QUERY.get(path))

            is_clear(response)
            assert (rows(), LoginFamily.objects.count(), len(salesforce.calls)) == (before, logins, calls)
            assert ApplicationToken.objects.count() == 0


@json_routes
def test_a_body_of_3_megabytes_is_refused(method, path, owner):
    body = json.dumps({"sfdxAuthUrl": "x" * 3_000_000}).encode()

    response = owner.send(method, path, body, query=QUERY.get(path))

    is_clear(response, 413)


def test_a_body_without_the_json_content_type_is_refused(owner, salesforce, each):
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "text/html", ""]:
        with each(content_type):
            response = owner.send("POST", REGISTER, b'{"sfdxAuthUrl": "x"}', content_type=content_type)

            is_clear(response, 415)
            assert salesforce.calls == []


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "identity, br", "deflate", "zstd", "made-up"])
@pytest.mark.parametrize("path", [REGISTER, LOGIN, "/login", "/nothing/here"])
def test_a_body_with_a_content_encoding_is_415(path, coding, owner):
    response = owner.send("POST", path, gzip.compress(b'{"sfdxAuthUrl": "x"}'), headers={"Content-Encoding": coding})

    is_clear(response, 415)
    assert response.json()["code"] == "UNSUPPORTED_ENCODING"
    assert response.headers["Accept-Encoding"] == "identity"


def test_the_servicestack_service_refuses_a_content_encoding_in_its_own_words(anonymous):
    response = anonymous.send("POST", "/auth/credentials", gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})

    assert response.status_code == 415
    assert response.json()["responseStatus"]["errorCode"] == "NotSupportedException"


@pytest.mark.parametrize("headers", [{"Content-Encoding": "identity"}, {"Content-Encoding": ""}])
def test_a_body_that_is_not_encoded_is_read(headers, owner, salesforce):
    body = json.dumps({"sfdxAuthUrl": an_org(salesforce).auth_url()}).encode()

    assert owner.send("POST", REGISTER, body, headers=headers).status_code == 201


def test_a_body_with_a_byte_order_mark_is_read(owner, salesforce):
    body = json.dumps({"sfdxAuthUrl": an_org(salesforce).auth_url()}).encode("utf-8-sig")

    assert owner.send("POST", REGISTER, body).status_code == 201


PLACES = {
    b'{"sfdxAuthUrl": force://canary}': "line 1, column 17",
    b'{\n  "sfdxAuthUrl": "x",\n  "metadata": {canary: 1}\n}': "line 3, column 16",
    b'\xef\xbb\xbf{"sfdxAuthUrl": "canary",}': "line 1, column 26",
    b'{"a": "\\canary"}': "line 1, column 8",
    b'{"a": "canary': "line 1, column 7",
    b'{"a": "canary\xff"}': "byte 14",
}


@pytest.mark.parametrize(("body", "place"), PLACES.items())
def test_a_refusal_of_invalid_json_says_where_and_does_not_repeat_it(body, place, owner):
    response = owner.send("POST", REGISTER, body)

    is_clear(response, 400)
    assert response.json()["code"] == "INVALID_JSON"
    assert place in response.json()["message"]
    assert "canary" not in response.text


PATCHES = {
    "unknown field": {"username": "other@acme.example"},
    "sfdxAuthUrl": {"sfdxAuthUrl": GOOD_AUTH_URL},
    "orgId": {"orgId": "00D000000000000AAA"},
    "many unknown fields": {f"field{number}": 1 for number in range(500)},
    "isDevHub text": {"isDevHub": "true"},
    "isDefault null": {"isDefault": None},
    "default that is not a DevHub": {"isDefault": True},
    "default and no DevHub": {"isDefault": True, "isDevHub": False},
    "metadata list": {"metadata": [1]},
    "metadata text": {"metadata": "{}"},
    "metadata long key": {"metadata": {"k" * 101: 1}},
}


@pytest.mark.database
def test_an_invalid_change_is_refused(owner, salesforce, each):
    a_registered_org(owner, salesforce, metadata={"team": "core"})
    before = owner.get(ORGS).json()
    for name, patch in PATCHES.items():
        with each(name):
            response = owner.patch(ORG, patch, **CI)

            is_clear(response)
            assert owner.get(ORGS).json() == before


@pytest.mark.database
def test_an_empty_change_is_accepted(owner, salesforce, each):
    a_registered_org(owner, salesforce, isDevHub=True, isDefault=True, metadata={"team": "core"})
    before, calls = owner.get(ORGS).json(), len(salesforce.calls)
    for body in [b"", b"{}", b" { } "]:
        with each(repr(body)):
            response = owner.send("PATCH", ORG, body, query=CI)

            assert response.status_code == 200, response
            assert response.json() == {name: value for name, value in before[0].items() if name != "createdAt"}
            assert owner.get(ORGS).json() == before
            assert len(salesforce.calls) == calls
            assert not AuditEvent.objects.filter(action="org.changed").exists()

"""Hostile bodies are refused with 400, quickly, in every format."""

import csv
import io
import json
import time
import tracemalloc
from itertools import islice, product
from string import ascii_lowercase
from xml.etree import ElementTree

import pytest

from authn.servicestack.dtos import Authenticate
from authn.servicestack.errors import Unreadable
from authn.servicestack.formats import csv as csv_format
from authn.servicestack.formats import json as json_format
from authn.servicestack.formats import jsv
from authn.servicestack.formats.xml import read
from tests.authn.servicestack.wire import FORM, LOGIN, TYPES, sessions, xml

pytestmark = pytest.mark.django_db
MOST = 64 * 1024
READERS = {"json": json_format.read, "jsv": jsv.read, "xml": read, "csv": csv_format.read}
# 100,000 different names, short enough for a body of less than a megabyte.
NAMES = ["".join(letters) for letters in islice(product(ascii_lowercase, repeat=4), 100_000)]
MANY = {
    "json, 100,000 keys": ("json", "{" + ",".join(f'"{name}":1' for name in NAMES) + "}"),
    "json, 100,000 keys of a map": ("json", '{"Meta":{' + ",".join(f'"{name}":""' for name in NAMES) + "}}"),
    "jsv, 100,000 keys": ("jsv", "{" + ",".join(f"{name}:1" for name in NAMES) + "}"),
    "jsv, 100,000 keys of a map": ("jsv", "{Meta:{" + ",".join(f"{name}:1" for name in NAMES) + "}}"),
    "xml, 100,000 elements": ("xml", xml("".join(f"<{name}/>" for name in NAMES))),
    "xml, 100,000 attributes": ("xml", xml("<a " + " ".join(f"{name}=''" for name in NAMES) + "/>")),
    "csv, 100,000 columns": ("csv", ",".join(NAMES) + "\r\n" + ",".join("1" for _ in NAMES) + "\r\n"),
}
HOSTILE = {
    "json, nested lists": ("json", "[" * 10_000),
    "json, nested objects": ("json", '{"a":' * 10_000 + "1" + "}" * 10_000),
    "json, unclosed quotes": ("json", '{"a":"' * 10_000),
    "json, one unclosed quote": ("json", '{"UserName":"' + "a" * 900_000),
    "json, many items": ("json", '{"x":[' + "1," * 100_000 + "1]}"),
    "json, a number of a million digits": ("json", '{"UserName":' + "1" * 900_000 + "}"),
    "jsv, nested lists": ("jsv", "{a:" + "[" * 10_000),
    "jsv, nested objects": ("jsv", "{Meta:" * 10_000),
    "jsv, unclosed quotes": ("jsv", '{UserName:"' * 10_001),
    "xml, nested elements": ("xml", xml("<a>" * 10_000 + "</a>" * 10_000)),
    "xml, an unclosed quote": ("xml", xml('<a b="' + "x" * 900_000)),
    "xml, unclosed quotes": ("xml", xml("<a b='" * 10_000)),
    "xml, 50,000 namespaces": ("xml", xml("<a " + " ".join(f"xmlns:a{n}='u'" for n in range(50_000)) + "/>")),
    "xml, a long namespace before many names": (
        "xml",
        xml(f"<p xmlns:a='{'u' * 45_000}'><b " + " ".join(f"a:{name}=''" for name in NAMES[:5_000]) + "/></p>"),
    ),
    "xml, a long default namespace": ("xml", xml(f'<p xmlns = \n "{"u" * 45_000}">' + "<b/>" * 900 + "</p>")),
    "xml, a namespace behind a long prefix": ("xml", xml(f"<p xmlns:{'a' * 200}='{'u' * 45_000}'/>")),
    "xml, a namespace behind many blanks": ("xml", xml(f"<p xmlns:a{' ' * 200}={' ' * 200}'{'u' * 45_000}'/>")),
    "csv, an unclosed quote": ("csv", 'UserName\r\n"' + "a" * 900_000),
    "csv, unclosed quotes": ("csv", '"a' * 10_001),
    "csv, 100,000 rows": ("csv", "a\r\n" * 100_000),
    **MANY,
}


@pytest.mark.parametrize(("format_", "body"), MANY.values(), ids=MANY)
def test_a_body_of_many_keys_is_well_formed_and_holds_that_many(format_, body):
    if format_ == "json":
        content = json.loads(body)
        assert len(content.get("Meta", content)) == 100_000
    elif format_ == "xml":
        root = ElementTree.fromstring(body)  # noqa: S314  # our own
        assert len(root) == 100_000 or len(root[0].attrib) == 100_000
    elif format_ == "csv":
        names, values = csv.reader(io.StringIO(body))
        assert len(set(names)) == len(values) == 100_000
    else:
        inner = body.removeprefix("{Meta:").strip("{}")
        assert body.count("{") == body.count("}")
        assert len(dict(pair.split(":") for pair in inner.split(","))) == 100_000


@pytest.mark.parametrize(("format_", "body"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_body_is_refused_quickly(format_, body, wire):
    is_large = len(body.encode()) > MOST
    began = time.process_time()

    response = wire.post(f"/{format_}/reply/Authenticate", body)

    assert time.process_time() - began < 2, "each takes well under half a second"
    assert response.status == (413 if is_large else 400)
    assert ("RequestEntityTooLarge" if is_large else "SerializationException") in response.text
    assert len(response.text) < 2000


@pytest.mark.parametrize(("format_", "body"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_unreadable_quickly_whatever_its_size(format_, body):
    began = time.process_time()

    with pytest.raises(Unreadable):
        READERS[format_](body, Authenticate)

    assert time.process_time() - began < 2, "each takes well under half a second"


@pytest.mark.parametrize("name", [name for name in HOSTILE if "xml" in name])
def test_the_memory_for_xml_is_proportional_to_its_length(name):
    _, body = HOSTILE[name]
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable):
            read(body, Authenticate)
        assert tracemalloc.get_traced_memory()[1] < 30 * len(body) + 5_000_000
    finally:
        tracemalloc.stop()


def test_a_form_of_too_many_fields_is_refused(wire):
    response = wire.post("/auth", "&".join(f"{name}=1" for name in NAMES[:9_000]), type_=FORM)

    assert (response.status, response.error()["errorCode"]) == (400, "SerializationException")


@pytest.mark.parametrize("type_", ["application/json", "text/jsv", FORM, "multipart/form-data; boundary=b"])
def test_a_body_over_64_kilobytes_is_refused(type_, wire):
    response = wire.post("/auth", b"x" * (MOST + 1), type_=type_)

    assert (response.status, response.error()["errorCode"]) == (413, "RequestEntityTooLarge")


UNREADABLE, WRONG_FIELD, NOBODY = (400, "SerializationException"), (400, "ValidationException"), (401, "Unauthorized")


@pytest.mark.parametrize(
    ("type_", "body", "refusal"),
    [
        ("multipart/form-data", b"x", UNREADABLE),
        ("multipart/form-data; boundary=", b"x", UNREADABLE),
        ("multipart/form-data; boundary=\xff", b"x", UNREADABLE),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="UserName"\r\n', NOBODY),
        ("application/x-www-form-urlencoded; charset=utf-16", b"UserName=x", UNREADABLE),
        ("application/x-www-form-urlencoded; charset=nosuch", b"UserName=x", WRONG_FIELD),
        (FORM, b"UserName=%ff%fe&Password=%00", UNREADABLE),
        (FORM, b"UserName=x&RememberMe=\xff", UNREADABLE),
        ("application/json; charset=nosuch", b"\xff", UNREADABLE),
    ],
)
def test_invalid_utf_8_is_refused(type_, body, refusal, wire):
    response = wire.post("/auth", body, type_=type_)

    assert response.refusal == refusal
    assert sessions() == 0


def test_a_boundary_that_never_occurs_is_an_empty_form(wire):
    response = wire.post("/auth/credentials", b"x" * 1000, type_="multipart/form-data; boundary=b")

    assert response.status == 400


@pytest.mark.parametrize("depth", [31, 40])
def test_xml_may_be_nested_a_little(depth, wire):
    body = f'<Authenticate xmlns="{TYPES}">{"<a>" * (depth - 1)}{"</a>" * (depth - 1)}</Authenticate>'

    assert wire.post("/xml/reply/Authenticate", body).status == (401 if depth < 32 else 400)


def test_a_large_but_ordinary_log_in_is_accepted(wire):
    meta = {f"k{number}": "v" * 500 for number in range(100)}

    assert wire.post("/auth/credentials", LOGIN | {"Meta": meta}).status == 200

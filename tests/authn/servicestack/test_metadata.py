"""Metadata pages and their samples."""

import html
import re

import pytest

from authn.servicestack.formats import csv, xml
from tests.authn.servicestack.wire import NAME
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
TABLE_ROW = re.compile(r"<tr><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td><td>No</td><td></td></tr>")


def test_the_index_names_the_operations(wire):
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
def test_the_page_of_the_operation_is_as_documented(format_, wire):
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
    """Return the sample with a real provider, user name and password; other placeholders stay."""
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
def test_the_sample_logs_in_once_it_is_filled_in(format_, wire):
    response = wire.post(f"/auth.{format_}", _filled_in(_sample(wire, format_), format_), type_=f"text/{format_}")

    assert response.status == 200, response
    assert NAME in response.text
    assert wire.who() == 200


@pytest.mark.parametrize("path", ["/json/metadata?op=nosuch", "/json/metadata", "/html/metadata?op=Authenticate"])
def test_an_unknown_operation_is_not_found(path, wire):
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


@pytest.mark.parametrize("demo", [False, True])
def test_a_demo_says_so_on_every_page(demo, wire, settings):
    settings.DEMO = demo

    for path in ("/metadata", "/jsv/metadata?op=Authenticate", "/auth"):
        assert ("this desk is connected to an emulator" in wire.get(path, accept="text/html").text) is demo

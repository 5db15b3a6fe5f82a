"""Text that people paste: the one auth URL in it is found, and otherwise the mistake is named."""

import base64
import json

import pytest

from orgs.salesforce import AuthUrl, HostPolicy, InvalidAuthUrl, RedactedAuthUrl

HOSTS = HostPolicy()
HOST = "acme.my.salesforce.com"
URL = f"force://PlatformCLI::5Aep861token@{HOST}"


def texts_with(url: str) -> dict[str, str]:
    """Return texts that contain an auth URL without a secret, by what they are."""
    document = json.dumps({"status": 0, "result": {"sfdxAuthUrl": url, "username": "ci@acme.example"}, "warnings": []})
    return {
        "alone": url,
        "blanks and a line break": f"  {url}\n",
        "byte order mark": f"\ufeff{url}\r\n",
        "double quotes": f'"{url}"',
        "single quotes": f"'{url}'",
        "curly quotes": f"\u201c{url}\u201d",
        "line breaks around": f"\n\n{url}\n\n",
        "a slash after the host": f"{url}/",
        "undefined as secret": url.replace("::", ":undefined:"),
        "null as secret": url.replace("::", ":null:"),
        "HTML after it": f"<td>{url}</td>&nbsp;&quot;",
        "document": document,
        "indented document": "\n" + json.dumps(json.loads(document), indent=2) + "\n",
        "document without result": json.dumps({"sfdxAuthUrl": url}),
        "document with a BOM": f"\ufeff{document}",
        "document after a notice": f" \u203a   Warning: @salesforce/cli update available from 2.1 to 2.2.\n{document}",
        "document with escaped slashes": document.replace("/", "\\/"),
        "document within a string": json.dumps(document),
        "document in colours": f'\x1b[97m{{\x1b[39m\n  \x1b[94m"sfdxAuthUrl"\x1b[39m: \x1b[92m"{url}"\x1b[39m\n}}',
        "escaped colours": f"\\u001b[32m{url}\\u001b[39m",
        "line of .env": f"SFDX_AUTH_URL={url}\nOTHER=1\n",
        "quoted line of .env": f'export SFDX_AUTH_URL="{url}";\n',
        "line of YAML": f"sfdx_auth_url: {url} # production",
        "table": f" Access Token   00D5g000001!AQ\n Sfdx Auth Url  {url}\n Status         Connected\n",
        "table with lines": f"\u2502 Sfdx Auth Url \u2502 {url} \u2502\n",
        "Markdown table": f"| Sfdx Auth Url | {url} |\n",
        "colours": f"\x1b[1m\x1b[32m{url}\x1b[39m\x1b[22m",
        "in a sentence": f"The URL is <{url}>, please register it",
    }


DOCUMENT = texts_with(URL)["document"]
TEXTS = texts_with(URL)


@pytest.mark.parametrize("name", TEXTS)
def test_the_one_auth_url_in_a_text_is_found(name):
    assert AuthUrl.find(TEXTS[name], HOSTS).reveal() == URL


def test_equals_signs_that_json_escapes_are_read():
    text = json.dumps({"sfdxAuthUrl": URL.replace("token", "token==")}).replace("=", "\\u003d")

    assert AuthUrl.find(text, HOSTS).refresh_token == "5Aep861token=="


MISTAKES = {
    "": "is empty",
    " \r\n\ufeff": "is empty",
    f"force://PlatformCLI::tok@https://{HOST}": "has https:// or http:// before its host",
    f"force://PlatformCLI::tok@http://{HOST}": "has https:// or http:// before its host",
    f"{URL}:8443": "has a port",
    f"{URL}:22/": "has a port",
    f"{URL}/services/oauth2": "has a path or query",
    f"{URL}?x=1": "has a path or query",
    "***": "is masked",
    f"force://PlatformCLI::***@{HOST}": "is masked",
    "force://***": "is masked",
    "[MASKED]": "is masked",
    f"force://PlatformCLI::[MASKED]@{HOST}": "is masked",
    f"force://PlatformCLI::\u2022\u2022\u2022\u2022@{HOST}": "is masked",
    f"&quot;{URL}&quot;": "is HTML-encoded",
    URL.replace("@", "&#64;"): "is HTML-encoded",
    URL.replace("@", "&#x40;"): "is HTML-encoded",
    f"{URL}.": "ends with a dot",
    "$SFDX_AUTH_URL": "name of a variable",
    "${SFDX_AUTH_URL}": "name of a variable",
    "${{ secrets.SFDX_AUTH_URL }}": "name of a variable",
    "$(SFDX_AUTH_URL)": "name of a variable",
    "%SFDX_AUTH_URL%": "name of a variable",
    "{{ sfdx_auth_url }}": "name of a variable",
    f"force://PlatformCLI::${{TOKEN}}@{HOST}": "name of a variable",
    f"force://PlatformCLI::$TOKEN@{HOST}": "name of a variable",
    base64.b64encode(URL.encode()).decode(): "is Base64",
    base64.encodebytes(DOCUMENT.encode()).decode(): "is Base64",
    base64.urlsafe_b64encode(URL.encode()).decode().rstrip("="): "is Base64",
    f"{URL}\n{URL.replace('acme', 'emea')}": "contains 2 auth URLs",
    f"{URL} {URL}": "contains 2 auth URLs",
    f"force://5Aep861token@{HOST}": "no client id",
    f"force://:5Aep861token@{HOST}": "no client id",
    f"force://::5Aep861token@{HOST}": "no client id",
    f"force://PlatformCLI:5Aep861token@{HOST}": "only one colon",
    "5Aep861KIwKdekr90I4iHdU0xx": "is a refresh token",
    "00D5g000001AbCd!AQEAQ.abc": "is an access token",
    f"https://{HOST}": "is a web address",
    f"FORCE://PlatformCLI::tok@{HOST}": "lower case",
    f"force%3A%2F%2FPlatformCLI%3A%3Atok%40{HOST}": "percent-encoded",
    f"force://PlatformCLI%3A%3Atok%40{HOST}": "percent-encoded",
    "force://PlatformCLI::5Aep861": "cut off",
    "force://PlatformCLI::5Aep861tok\nen@" + HOST: "cut off",
    f"{URL[:-4]}\n.com": "broken by a line break",
    f"{URL[:-10]}\nsforce.com": "broken by a line break",
    f"{URL[:-10]}\r\n  sforce.com\r\n": "broken by a line break",
    f"\x1b[32m{URL[:-8]} orce.com\x1b[0m": "broken by a line break",
    f"{URL}\\@evil.example": "broken by a line break or a backslash",
    f"force://undefined::tok@{HOST}": '"undefined"',
    f"force://PlatformCLI::undefined@{HOST}": '"undefined"',
    f"force://PlatformCLI::null@{HOST}": '"null"',
    '{"status": 1, "message": "No authorization found"}': "no sfdxAuthUrl",
    '{"result": {"sfdxAuthUrl": null}}': "no sfdxAuthUrl",
    '{"result": ': "not valid JSON",
    "nothing of the kind": "not an auth URL",
    f"force://PlatformCLI::{'a' * 5000}@{HOST}": "longer than 4096",
    "x" * 65_537: "longer than 65536",
}


@pytest.mark.parametrize(("text", "said"), MISTAKES.items(), ids=range(len(MISTAKES)))
def test_a_text_without_one_auth_url_is_refused_by_its_mistake(text, said):
    with pytest.raises(InvalidAuthUrl) as caught:
        AuthUrl.find(text, HOSTS)

    assert said in str(caught.value)
    assert not isinstance(caught.value, RedactedAuthUrl)
    assert "5Aep861" not in f"{caught.value} {caught.value.action} {caught.value.__cause__}"


def test_each_mistake_has_a_message_of_its_own():
    assert len(set(MISTAKES.values())) >= 20


@pytest.mark.parametrize(
    "text",
    [
        "[REDACTED] Use 'sf org auth show-sfdx-auth-url' to view",
        json.dumps({"result": {"sfdxAuthUrl": "[REDACTED] Use 'sf org auth show-sfdx-auth-url' to view"}}),
        f"force://PlatformCLI::[REDACTED]@{HOST}",
    ],
)
def test_the_placeholder_of_the_cli_is_recognised(text):
    with pytest.raises(RedactedAuthUrl):
        AuthUrl.find(text, HOSTS)


def test_a_redacted_access_token_beside_an_auth_url_does_no_harm():
    document = json.dumps({"result": {"accessToken": "[REDACTED] Use 'sf org auth'", "sfdxAuthUrl": URL}})

    assert AuthUrl.find(document, HOSTS).reveal() == URL


HOSTILE = {
    "open braces": "{" * 65_536,
    "nested lists": '{"a":' + "[" * 30_000 + "]" * 30_000 + "}",
    "long number": '{"a":' + "9" * 60_000 + "}",
    "colour starts": "\x1b[" * 30_000,
    "endless colour": "\x1b[" + "1;" * 30_000,
    "escaped colour starts": "\\u001b[1" * 8_000,
    "percent signs": "%a" * 30_000,
    "one percent sign": "%" + "a" * 60_000,
    "URL without end": "force://" + "a" * 60_000,
    "colons": "force://" + ":" * 60_000,
    "at signs": "force://" + "a@" * 30_000,
    "dollars": "force://[" + "${" * 30_000,
    "blanks after a URL": URL + " " * 60_000 + "x",
    "line breaks after a URL": "force://a" + "\r\n" * 30_000 + "x",
    "Base64 letters": "A" * 65_535,
    "refresh token": "5Aep" + "." * 60_000 + "!",
    "equals signs": f"force://{'=' * 60_000}:x:y@{HOST}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_long_text_made_for_backtracking_is_judged_like_any_other(name):
    if HOSTILE[name].startswith(URL):
        assert AuthUrl.find(HOSTILE[name], HOSTS).reveal() == URL
        return
    with pytest.raises(InvalidAuthUrl) as caught:
        AuthUrl.find(HOSTILE[name], HOSTS)
    assert len(str(caught.value)) < 120

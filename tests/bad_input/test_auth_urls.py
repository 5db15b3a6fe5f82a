"""Auth URLs that are invalid, or of a host that is not Salesforce's."""

import pytest

from tests.bad_input.assertions import GOOD_AUTH_URL, is_clear, rows
from tests.orgs.factories import REGISTER

pytestmark = pytest.mark.django_db
AUTH_URLS = {
    "empty": "",
    "no url": "hello",
    "https": "https://acme.my.salesforce.com",
    "javascript": "javascript:alert(1)",
    "upper-case scheme": GOOD_AUTH_URL.replace("force://", "FORCE://"),
    "foreign host": "force://PlatformCLI::5Aep861abc@evil.example",
    "look-alike by suffix": "force://PlatformCLI::5Aep861abc@acme.my.salesforce.com.evil.example",
    "look-alike by prefix": "force://PlatformCLI::5Aep861abc@evilsalesforce.com",
    "look-alike by letter": "force://PlatformCLI::5Aep861abc@acme.my.sa\u217cesforce.com",
    "force.com": "force://PlatformCLI::5Aep861abc@acme.lightning.force.com",
    "metadata address": "force://PlatformCLI::5Aep861abc@169.254.169.254",
    "decimal address": "force://PlatformCLI::5Aep861abc@2130706433",
    "hexadecimal address": "force://PlatformCLI::5Aep861abc@0x7f.1",
    "address of version 6": "force://PlatformCLI::5Aep861abc@[::1]",
    "localhost": "force://PlatformCLI::5Aep861abc@localhost",
    "port": "force://PlatformCLI::5Aep861abc@acme.my.salesforce.com:8443",
    "user in the host": "force://PlatformCLI::5Aep861abc@acme.my.salesforce.com@evil.example",
    "user before the host": "force://PlatformCLI::5Aep861abc@evil.example@acme.my.salesforce.com",
    "path": f"{GOOD_AUTH_URL}/services",
    "query": f"{GOOD_AUTH_URL}?x=y",
    "fragment": f"{GOOD_AUTH_URL}#x",
    "backslash": "force://PlatformCLI::5Aep861abc@evil.example\\.my.salesforce.com",
    "line break in the host": "force://PlatformCLI::5Aep861abc@acme.my.salesforce.com\n.evil.example",
    "carriage return in the token": "force://PlatformCLI::5Aep\r\n861abc@acme.my.salesforce.com",
    "redacted": "[REDACTED] Use 'sf org auth show-sfdx-auth-url' to view",
    "undefined token": "force://PlatformCLI::undefined@acme.my.salesforce.com",
    "null token": "force://PlatformCLI::null@acme.my.salesforce.com",
    "no token": "force://PlatformCLI::@acme.my.salesforce.com",
    "no client": "force://::5Aep861abc@acme.my.salesforce.com",
    "trailing dot": "force://PlatformCLI::5Aep861abc@acme.my.salesforce.com.",
    "too long": f"force://PlatformCLI::{'a' * 5000}@acme.my.salesforce.com",
    "number": 12,
    "list": [GOOD_AUTH_URL],
    "null": None,
    "boolean": True,
}


def test_an_invalid_auth_url_is_refused(owner, salesforce, each):
    for name, url in AUTH_URLS.items():
        with each(name):
            response = owner.post(REGISTER, {"sfdxAuthUrl": url})

            is_clear(response)
            assert rows() == 0
            assert salesforce.calls == []
            assert "5Aep861abc" not in response.text


def test_the_redacted_text_of_the_cli_says_which_command_to_run(owner):
    response = owner.post(REGISTER, {"sfdxAuthUrl": AUTH_URLS["redacted"]})

    assert response.json()["code"] == "REDACTED_SFDX_AUTH_URL"
    assert "sf org auth show-sfdx-auth-url -o <alias> --json" in response.json()["action"]

"""Pasted text: the CLI's JSON, or the auth URL itself."""

import json

import pytest

from orgs.salesforce import InvalidAuthUrl, from_paste

URL = "force://PlatformCLI::token@acme.my.salesforce.com"


@pytest.mark.parametrize(
    "text",
    [
        URL,
        f"  {URL}\n",
        json.dumps({"status": 0, "result": {"sfdxAuthUrl": URL, "username": "ci@acme.example"}, "warnings": []}),
        json.dumps({"sfdxAuthUrl": URL}),
        "\n" + json.dumps({"result": {"sfdxAuthUrl": URL}}, indent=2) + "\n",
        json.dumps({"result": "none", "sfdxAuthUrl": URL}),
    ],
)
def test_the_auth_url_is_found_in_what_was_pasted(text):
    assert from_paste(text) == URL


@pytest.mark.parametrize("text", ["", "anything", "[1, 2]", '"force://quoted"'])
def test_a_text_that_is_not_a_json_object_is_returned_as_it_is(text):
    assert from_paste(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '{"result": ',
        "{'result': {}}",
        '{"result": {}}',
        '{"result": null}',
        '{"result": {"sfdxAuthUrl": null}}',
        '{"result": {"sfdxAuthUrl": 1}}',
        '{"result": {"sfdxAuthUrl": ["force://"]}}',
        '{"result": {"accessToken": "x"}, "sfdxAuthUrl": "below result is where it counts"}',
        '{"a": 1} {"sfdxAuthUrl": "x"}',
        '{"a":' + "9" * 5000 + "}",
        '{"a":' * 10_000,
        '{"a":' * 10_000 + "1" + "}" * 10_000,
        '{"a":' + "[" * 20_000 + "]" * 20_000 + "}",
        "x" * 65_537,
        "{" + " " * 65_536 + "}",
    ],
)
def test_json_without_an_auth_url_is_refused(text):
    with pytest.raises(InvalidAuthUrl) as caught:
        from_paste(text)

    assert len(str(caught.value)) < 100


def test_a_refusal_does_not_repeat_the_json():
    with pytest.raises(InvalidAuthUrl) as caught:
        from_paste('{"accessToken": "00D!SECRET"}')

    assert "SECRET" not in f"{caught.value} {caught.value.__cause__}"

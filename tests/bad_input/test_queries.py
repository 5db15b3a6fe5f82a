"""Invalid query parameters and hostile filters."""

import pytest

from tests.bad_input.assertions import is_clear
from tests.orgs.factories import ORG, ORGS, a_registered_org

pytestmark = pytest.mark.django_db
QUERIES: dict[str, tuple[str, dict[str, object]]] = {
    "no username": (ORG, {}),
    "empty username": (ORG, {"username": ""}),
    "NUL": (ORG, {"username": "\x00"}),
    "NUL in a word": (ORG, {"username": "a\x00b"}),
    "long username": (ORG, {"username": "a" * 300}),
    "username twice": (ORG, {"username": ["a@acme.example", "b@acme.example"]}),
    "unknown authType": (ORG, {"username": "ci@acme.example", "authType": "password"}),
    "devhub maybe": (ORGS, {"devhub": "maybe"}),
    "limit 0": (ORGS, {"limit": "0"}),
    "limit 501": (ORGS, {"limit": "501"}),
    "limit text": (ORGS, {"limit": "many"}),
    "limit of 5,000 digits": (ORGS, {"limit": "9" * 5000}),
    "after NUL": (ORGS, {"after": "\x00"}),
    "type NUL": (ORGS, {"type": "\x00"}),
    "metadata without a value": (ORGS, {"metadata": "team"}),
    "metadata half an object": (ORGS, {"metadata": '{"team":'}),
    "metadata list": (ORGS, {"metadata": "[1]"}),
    "metadata NUL": (ORGS, {"metadata": "a=\x00"}),
    "metadata nested 5,000 deep": (ORGS, {"metadata": '{"a":' * 1300 + "1" + "}" * 1300}),
    "includeSfdxAuthUrl maybe": (ORGS, {"includeSfdxAuthUrl": "perhaps"}),
}


@pytest.mark.database
def test_an_invalid_query_is_refused(owner, salesforce, each):
    for name, (path, query) in QUERIES.items():
        with each(name):
            response = owner.get(path, **query)

            is_clear(response)
            assert salesforce.calls == []


def test_the_schema_has_no_other_version(anonymous, each):
    plain = anonymous.get("/sfp/api/schema")
    for version in ["2", "a\r\nX-Evil: yes", "\x00", '"; filename="x', "v" * 3000]:
        with each(version[:20]):
            response = anonymous.get("/sfp/api/schema", version=version)

            assert response.status_code == 200
            assert response.content == plain.content
            assert response.headers["Content-Disposition"] == plain.headers["Content-Disposition"]


LITERAL_FILTERS = ["team__regex=.*", '{"team__regex": "."}', "team__contains=o", '{"a__b__c": 1}', "__class__=x", "1=x"]


@pytest.mark.database
def test_a_metadata_key_is_not_an_expression(owner, salesforce, each):
    a_registered_org(owner, salesforce, metadata={"team": "core"})
    for text in LITERAL_FILTERS:
        with each(text):
            response = owner.get(ORGS, metadata=text)

            assert response.status_code == 200
            assert response.json() == []


REFUSED_FILTERS = {
    "NUL": '{"a": "\\u0000"}',
    "half a surrogate pair": '{"a": "\\ud800"}',
    "NUL in a key": '{"\\u0000": 1}',
    "half a surrogate pair in a key": '{"\\ud800": 1}',
    "half a surrogate pair, deeper": '{"a": {"b": ["\\udfff"]}}',
    "1e400": '{"a": 1e400}',
    "NaN": '{"a": NaN}',
    "Infinity": '{"a": -Infinity}',
    "a number of 5,000 digits": '{"a": ' + "9" * 5000 + "}",
    "a key twice": '{"a": "core", "a": "other"}',
    "a key twice, deeper": '{"a": {"b": 1, "b": 2}}',
    "40 levels": '{"a":' * 40 + "1" + "}" * 40,
    "500 pairs": ",".join(f"k{number}=v" for number in range(500)),
    "500 pairs of JSON": "{" + ",".join(f'"k{number}": 1' for number in range(500)) + "}",
}


@pytest.mark.database
def test_a_hostile_metadata_filter_is_refused(owner, salesforce, each):
    a_registered_org(owner, salesforce, metadata={"a": "core"})
    for name, text in REFUSED_FILTERS.items():
        with each(name):
            response = owner.get(ORGS, metadata=text)

            is_clear(response)


VAIN_FILTERS = {
    "an object in it": '{"a": {"b": 1}}',
    "5,000 digits": "a=" + "9" * 5000,
    "1e400": "a=1e400",
    "NaN": "a=NaN",
    "1,000 emoji": "a=" + "\U0001f600" * 1000,
    "a key of 200 letters": "k" * 200 + "=v",
    "quotes": "a='; DROP TABLE orgs_salesforceorg; --",
    "a wild card": "a=%",
}


@pytest.mark.database
def test_a_hostile_metadata_filter_finds_nothing(owner, salesforce, each):
    a_registered_org(owner, salesforce, metadata={"a": "core"})
    for name, text in VAIN_FILTERS.items():
        with each(name):
            response = owner.get(ORGS, metadata=text)

            assert (response.status_code, response.json()) == (200, [])

"""A published client against the emulator over TLS, which proves that the emulator is compatible."""

from typing import cast

import pytest
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from orgs.salesforce import AuthUrl, SalesforceClient


@pytest.fixture
def org(emulator):
    return emulator.add_org("acme.my.salesforce.com", username="ci@acme.example", name="Acme", is_dev_hub=True)


@pytest.fixture
def access_token(org, a_transport, hosts, served_with_tls):
    transport = a_transport(gateway=served_with_tls.url, ca_bundle=served_with_tls.ca_bundle)
    session = SalesforceClient(transport, hosts).refresh(AuthUrl.parse(org.auth_url(), hosts)).session
    assert session is not None
    return session.access_token


@pytest.fixture
def published_client(access_token, served_with_tls):
    with requests.Session() as session:
        session.trust_env = False
        session.verify = served_with_tls.ca_bundle
        yield Salesforce(instance_url=served_with_tls.url, session_id=access_token, session=session)


def test_the_organization_is_queried(published_client, org):
    response = published_client.query("SELECT Id, Name, IsSandbox, TrialExpirationDate FROM Organization")

    assert (response["totalSize"], response["done"]) == (1, True)
    record = response["records"][0]
    assert record["attributes"]["type"] == "Organization"
    assert (record["Id"], record["Name"], record["IsSandbox"]) == (org.org_id, "Acme", False)
    assert record["TrialExpirationDate"] is None


def test_a_user_is_read_by_its_id(published_client, org):
    user = published_client.User.get(org.users[0].user_id)

    assert user["Username"] == "ci@acme.example"


def test_all_records_of_a_query_are_found(published_client, org):
    org.add_user("other@acme.example")

    response = published_client.query_all("SELECT Username FROM User ORDER BY Username DESC")

    assert [record["Username"] for record in response["records"]] == ["other@acme.example", "ci@acme.example"]


def test_a_dev_hub_knows_scratch_org_info(published_client):
    assert published_client.query("SELECT Id FROM ScratchOrgInfo LIMIT 1")["records"] == []


def test_the_limits_and_their_header_are_read(published_client):
    limits = published_client.limits()

    assert limits["DailyApiRequests"]["Max"] == 5000
    assert published_client.api_usage["api-usage"].used == 18


def test_an_expired_session_is_known_as_one(published_client, org):
    org.revoke_all()

    with pytest.raises(SalesforceExpiredSession) as caught:
        published_client.query("SELECT Id FROM Organization")

    assert caught.value.status == 401
    assert cast(list[dict[str, str]], caught.value.content)[0]["errorCode"] == "INVALID_SESSION_ID"


@pytest.mark.parametrize("query", ["SELECT", "SELECT Id FROM Nothing", "SELECT Nothing FROM Organization"])
def test_a_wrong_query_is_malformed(published_client, query):
    with pytest.raises(SalesforceMalformedRequest):
        published_client.query(query)


def test_a_record_that_does_not_exist_is_not_found(published_client):
    with pytest.raises(SalesforceResourceNotFound):
        published_client.User.get("005000000000009AAA")

"""POST .../register with a token that was registered before: spent, rotated, or with another host or secret."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from orgs.credentials import single_flight
from orgs.credentials.models import Credential
from orgs.credentials.replay import replay
from orgs.credentials.spool import AttemptId
from orgs.credentials.token_index import credential_for
from orgs.salesforce import AuthUrl, HostPolicy
from orgs.salesforce.emulator import Fault
from tests.orgs.credentials.spooled_responses import leave_spooled_response
from tests.orgs.factories import ACCESS_TOKEN, ORG, REGISTER, an_org
from tests.support.api_client import Caller
from tests.support.concurrency import run_together, wait_until

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_a_spent_auth_url_can_be_registered_again_any_number_of_times(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    org = an_org(salesforce)
    url = org.auth_url(app)

    responses = [owner.post(REGISTER, {"sfdxAuthUrl": url}) for _ in range(25)]

    assert [response.status_code for response in responses] == [201] * 25
    assert responses[-1].json()["health"]["rotates"] is True
    assert salesforce.is_alive(url)
    assert owner.post(ACCESS_TOKEN, username=org.username).status_code == 200
    assert Credential.objects.count() == 1


def test_a_rotated_token_survives_a_registration_that_fails_later(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    url = an_org(salesforce).auth_url(app)
    salesforce.inject(Fault.status(500), path="/services/data")
    failed = owner.post(REGISTER, {"sfdxAuthUrl": url})

    again = owner.post(REGISTER, {"sfdxAuthUrl": url})

    assert failed.status_code == 503
    assert again.status_code == 201
    assert salesforce.is_alive(url)


def test_a_rotated_token_is_kept_from_a_response_that_cannot_be_trusted(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    url = an_org(salesforce).auth_url(app)
    salesforce.inject(Fault.fields(instance_url="https://evil.example"), path="/services/oauth2/token")
    failed = owner.post(REGISTER, {"sfdxAuthUrl": url})

    again = owner.post(REGISTER, {"sfdxAuthUrl": url})

    assert failed.json()["code"] == "UPSTREAM_UNTRUSTED_URL"
    assert again.status_code == 201


def test_a_failed_registration_keeps_a_credential_whose_response_another_node_may_have(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    url = an_org(salesforce).auth_url(app)
    credential = credential_for(AuthUrl.parse(url, HostPolicy()))
    leave_spooled_response(credential)
    Credential.objects.update(sent_at=Now() - timedelta(seconds=30), sent_by=uuid.uuid4())
    file = AttemptId(credential.pk, credential.generation).path
    elsewhere = file.rename(file.with_suffix(".elsewhere"))

    response = owner.post(REGISTER, {"sfdxAuthUrl": url})
    elsewhere.rename(file)
    replay()

    assert (response.status_code, response.json()["code"]) == (503, "REFRESH_IN_PROGRESS")
    assert salesforce.is_alive(url)
    assert owner.post(REGISTER, {"sfdxAuthUrl": url}).status_code == 201


# --- With another host or secret ---------------------------------------------------------------------


@pytest.mark.parametrize("rotates", [False, True], ids=["not rotating", "rotating"])
@pytest.mark.parametrize("mistake", ["secret", "host"])
def test_a_mistyped_auth_url_does_not_harm_the_org_that_has_its_token(owner, salesforce, rotates, mistake):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=rotates)
    an_org(salesforce, "other@acme.example")
    org = an_org(salesforce)
    url = org.auth_url(app)
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    wrong = url.replace("s3cret", "wr0ng") if mistake == "secret" else url.replace("@ci.", "@other.")

    refused = owner.post(REGISTER, {"sfdxAuthUrl": wrong})

    assert refused.status_code == 400, refused
    assert owner.get(ORG, username=org.username, authType="accessToken").status_code == 200
    assert owner.get(ORG, username=org.username).json()["health"]["state"] == "healthy"
    assert salesforce.is_alive(url)


def test_a_new_secret_that_works_is_kept(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret")
    org = an_org(salesforce)
    url = org.auth_url(app)
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    app.secret = "n3w"

    response = owner.post(REGISTER, {"sfdxAuthUrl": url.replace("s3cret", "n3w")})

    assert response.status_code == 201
    assert owner.post(ACCESS_TOKEN, username=org.username).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("secret", "status"), [("wr0ng", 400), ("n3w", 201)])
def test_a_submitted_secret_is_tried_during_a_refresh_with_the_stored_one(owner, salesforce, secret, status):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    org = an_org(salesforce)
    url = org.auth_url(app)
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    body = {"sfdxAuthUrl": url.replace("s3cret", secret)}
    pool = ThreadPoolExecutor(1)
    registering = []

    def register_during_the_refresh(response):
        registering.append(pool.submit(run_together, [lambda: Caller(owner.bearer).post(REGISTER, body)]))
        wait_until(lambda: single_flight._flights)
        app.secret = "n3w"
        return response

    salesforce.inject(
        Fault("register during the refresh", True, register_during_the_refresh), path="/services/oauth2/token"
    )
    issued = owner.post(ACCESS_TOKEN, username=org.username)
    [registered] = registering[0].result()
    pool.shutdown()

    assert (issued.status_code, registered.status_code) == (200, status), registered
    assert salesforce.is_alive(url)
    again = owner.post(ACCESS_TOKEN, username=org.username)
    assert again.status_code == (200 if status == 201 else 409), "the secret that works is stored"

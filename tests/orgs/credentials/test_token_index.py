"""POST .../register with a token that is known already: spent, rotated, or under another host or secret."""

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


def test_a_stored_and_long_spent_auth_url_registers_again_and_again(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    org = an_org(salesforce)
    url = org.auth_url(app)

    answers = [owner.post(REGISTER, {"sfdxAuthUrl": url}) for _ in range(25)]

    assert [answer.status_code for answer in answers] == [201] * 25
    assert answers[-1].json()["health"]["rotates"] is True
    assert salesforce.is_alive(url)
    assert owner.post(ACCESS_TOKEN, username=org.username).status_code == 200
    assert Credential.objects.count() == 1


def test_a_rotated_token_outlives_a_registration_that_fails_after_it(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    url = an_org(salesforce).auth_url(app)
    salesforce.inject(Fault.status(500), path="/services/data")
    failed = owner.post(REGISTER, {"sfdxAuthUrl": url})

    again = owner.post(REGISTER, {"sfdxAuthUrl": url})

    assert failed.status_code == 503
    assert again.status_code == 201
    assert salesforce.is_alive(url)


def test_a_rotated_token_is_kept_though_the_answer_cannot_be_trusted(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    url = an_org(salesforce).auth_url(app)
    salesforce.inject(Fault.fields(instance_url="https://evil.example"), path="/services/oauth2/token")
    failed = owner.post(REGISTER, {"sfdxAuthUrl": url})

    again = owner.post(REGISTER, {"sfdxAuthUrl": url})

    assert failed.json()["code"] == "UPSTREAM_UNTRUSTED_URL"
    assert again.status_code == 201


def test_a_registration_that_fails_leaves_the_row_whose_answer_another_node_may_have(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    url = an_org(salesforce).auth_url(app)
    credential = credential_for(AuthUrl.parse(url, HostPolicy()))
    leave_spooled_response(credential)
    Credential.objects.update(sent_at=Now() - timedelta(seconds=30), sent_by=uuid.uuid4())
    file = AttemptId(credential.pk, credential.generation).path
    elsewhere = file.rename(file.with_suffix(".elsewhere"))

    answer = owner.post(REGISTER, {"sfdxAuthUrl": url})
    elsewhere.rename(file)
    replay()

    assert (answer.status_code, answer.json()["code"]) == (503, "REFRESH_IN_PROGRESS")
    assert salesforce.is_alive(url)
    assert owner.post(REGISTER, {"sfdxAuthUrl": url}).status_code == 201


# --- Under another host or secret ---------------------------------------------------------------------


@pytest.mark.parametrize("rotates", [False, True], ids=["not rotating", "rotating"])
@pytest.mark.parametrize("mistake", ["secret", "host"])
def test_a_mistyped_auth_url_does_no_harm_to_the_org_that_has_its_token(owner, salesforce, rotates, mistake):
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

    answer = owner.post(REGISTER, {"sfdxAuthUrl": url.replace("s3cret", "n3w")})

    assert answer.status_code == 201
    assert owner.post(ACCESS_TOKEN, username=org.username).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("secret", "status"), [("wr0ng", 400), ("n3w", 201)])
def test_a_secret_is_tried_though_somebody_else_refreshes_with_the_stored_one(owner, salesforce, secret, status):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    org = an_org(salesforce)
    url = org.auth_url(app)
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    body = {"sfdxAuthUrl": url.replace("s3cret", secret)}
    pool = ThreadPoolExecutor(1)
    registering = []

    def while_it_is_refreshed(response):
        registering.append(pool.submit(run_together, [lambda: Caller(owner.bearer).post(REGISTER, body)]))
        wait_until(lambda: single_flight._flights)
        app.secret = "n3w"
        return response

    salesforce.inject(Fault("while it is refreshed", True, while_it_is_refreshed), path="/services/oauth2/token")
    minted = owner.post(ACCESS_TOKEN, username=org.username)
    [registered] = registering[0].result()
    pool.shutdown()

    assert (minted.status_code, registered.status_code) == (200, status), registered
    assert salesforce.is_alive(url)
    again = owner.post(ACCESS_TOKEN, username=org.username)
    assert again.status_code == (200 if status == 201 else 409), "what is stored is the secret that worked"

"""POST .../access-token and .../default-devhub/access-token."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authn.models import AuditEvent
from orgs.salesforce.emulator import Fault
from tests.orgs.factories import ACCESS_TOKEN, DEFAULT_DEVHUB_TOKEN, TEST_CONNECTION, a_registered_org, an_org, register

BOTH = [(ACCESS_TOKEN, {"username": "hub@acme.example"}), (DEFAULT_DEVHUB_TOKEN, {})]
both = pytest.mark.parametrize(("path", "query"), BOTH, ids=["access-token", "default-devhub"])


@pytest.fixture
def hub(owner, salesforce):
    return a_registered_org(owner, salesforce, "hub@acme.example", isDevHub=True, isDefault=True)


@both
def test_the_response_has_a_fresh_access_token(application, salesforce, hub, path, query):
    response = application.post(path, **query)

    assert response.status_code == 200
    body = response.json()
    assert salesforce.sessions[body.pop("accessToken")].alive
    assert body == {
        "instanceUrl": "https://hub.my.salesforce.com",
        "username": "hub@acme.example",
        "orgId": hub.org_id,
        "isDevHub": True,
    }
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_an_access_token_takes_ten_statements_in_two_transactions(application, hub):
    application.post(ACCESS_TOKEN, username="hub@acme.example")  # The token's last use is stored once a minute.

    with CaptureQueriesContext(connection) as captured:
        assert application.post(ACCESS_TOKEN, username="hub@acme.example").status_code == 200

    verbs = [query["sql"].split()[0] for query in captured]
    assert verbs == [
        *["SELECT", "SELECT"],
        *["BEGIN", "INSERT", "UPDATE", "COMMIT"],
        *["BEGIN", "UPDATE", "INSERT", "COMMIT"],
    ]


@both
def test_each_request_refreshes_the_credential(application, salesforce, hub, path, query):
    salesforce.reset_calls()

    tokens = {application.post(path, **query).json()["accessToken"] for _ in range(3)}

    assert len(tokens) == 3
    assert salesforce.refreshes() == 3


@both
def test_a_rotating_token_survives_many_refreshes(application, owner, salesforce, path, query):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    org = an_org(salesforce, "hub@acme.example", is_dev_hub=True)
    url = org.auth_url(app)
    owner.post("/sfp/api/auth/salesforce/register", {"sfdxAuthUrl": url, "isDevHub": True, "isDefault": True})

    responses = [application.post(path, **query) for _ in range(30)]

    assert [response.status_code for response in responses] == [200] * 30
    assert salesforce.is_alive(url)


@both
@pytest.mark.parametrize(
    ("fault", "status", "code", "retry_after"),
    [
        (Fault.oauth("invalid_grant", "expired access/refresh token"), 409, "CREDENTIAL_EXPIRED", None),
        (Fault.oauth("invalid_grant", "inactive organization"), 410, "ORG_GONE", None),
        (Fault.oauth("invalid_client", "invalid client credentials"), 409, "APP_REJECTED", None),
        (Fault.oauth("invalid_grant", "login rate exceeded"), 429, "UPSTREAM_LOGIN_LIMIT", "3600"),
        (Fault.html_maintenance(), 503, "UPSTREAM_MAINTENANCE", "60"),
        (Fault.no_name(), 503, "UPSTREAM_UNREACHABLE", "30"),
        (Fault.reset(), 503, "UPSTREAM_LOST", "30"),
        (Fault.hang(60), 504, "UPSTREAM_TIMEOUT", None),
        (Fault.body(b"not json"), 502, "UPSTREAM_UNREADABLE", None),
        (Fault.fields(instance_url="https://evil.example"), 502, "UPSTREAM_UNTRUSTED_URL", None),
        (Fault.redirect("https://evil.example"), 502, "UPSTREAM_REDIRECT", None),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else None,
)
def test_failures_have_status_and_code(application, salesforce, hub, path, query, fault, status, code, retry_after):
    salesforce.inject(fault, path="/services/oauth2/token")
    salesforce.reset_calls()

    response = application.post(path, **query)

    assert response.status_code == status, response
    assert response.json()["code"] == code
    assert response.headers.get("Retry-After") == retry_after
    assert salesforce.refreshes() == 1
    event = AuditEvent.objects.filter(action="access_token.handed_out").first()
    assert event is not None
    assert (event.outcome, event.code) == ("failed", code)


def test_a_token_of_another_org_is_not_issued(application, owner, salesforce, hub):
    other = an_org(salesforce, "other@acme.example")
    fault = Fault.fields(id=f"https://login.salesforce.com/id/{other.org_id}/{other.users[0].user_id}")
    salesforce.inject(fault, path="/services/oauth2/token")

    response = application.post(ACCESS_TOKEN, username="hub@acme.example")

    assert response.status_code == 502
    assert response.json()["code"] == "ORG_ID_MISMATCH"


def test_a_permanent_failure_stays_until_a_connection_test_succeeds(application, owner, salesforce, hub):
    hub.users[0].deactivate()
    application.post(ACCESS_TOKEN, username="hub@acme.example")
    hub.users[0].active = True
    salesforce.reset_calls()

    refused = application.post(ACCESS_TOKEN, username="hub@acme.example")
    calls = len(salesforce.calls)
    tested = owner.post("/sfp/api/auth/salesforce/test-connection", username="hub@acme.example")
    repaired = application.post(ACCESS_TOKEN, username="hub@acme.example")

    assert (refused.status_code, refused.json()["code"], calls) == (409, "USER_INACTIVE", 0)
    assert tested.json()["isValid"] is True
    assert repaired.status_code == 200


def test_a_sandbox_is_found_by_its_name(application, owner, salesforce, hub):
    sandbox = salesforce.add_sandbox(hub, "qa")
    register(owner, sandbox)

    response = application.post(ACCESS_TOKEN, username="qa")

    assert response.json()["username"] == sandbox.username


def test_an_unknown_org_is_not_found(application):
    assert application.post(ACCESS_TOKEN, username="unknown@acme.example").json()["code"] == "ORG_NOT_FOUND"


def test_a_missing_default_dev_hub_is_an_error(application):
    assert application.post(DEFAULT_DEVHUB_TOKEN).json()["code"] == "NO_DEFAULT_DEVHUB"


def test_a_token_is_one_row_that_completes_the_row_of_its_attempt(application, salesforce, hub):
    AuditEvent.objects.all().delete()

    application.post(ACCESS_TOKEN, username="hub@acme.example")

    sent, issued = AuditEvent.objects.order_by("id")
    assert (sent.action, sent.outcome, sent.attempt_id) == ("credential.refresh_sent", "attempted", None)
    assert (issued.action, issued.outcome, issued.attempt_id) == ("access_token.handed_out", "granted", sent.pk)
    assert list(AuditEvent.objects.lines()) == [issued]


def test_a_refused_refresh_is_one_line(application, salesforce, hub):
    salesforce.inject(Fault.oauth("invalid_grant", "expired access/refresh token"))
    AuditEvent.objects.all().delete()

    application.post(ACCESS_TOKEN, username="hub@acme.example")

    [line] = AuditEvent.objects.lines()
    assert (line.action, line.outcome, line.code) == ("access_token.handed_out", "failed", "CREDENTIAL_EXPIRED")
    assert [attempt.action for attempt in line.attempts()] == ["credential.refresh_sent"]


def test_a_refresh_for_the_desk_itself_is_one_line(owner, salesforce, hub):
    AuditEvent.objects.all().delete()

    owner.post(TEST_CONNECTION, username="hub@acme.example")

    lines = AuditEvent.objects.lines().order_by("pk")
    assert [line.action for line in lines] == ["credential.refresh_ended", "org.connection_tested"]
    assert [attempt.action for attempt in lines[0].attempts()] == ["credential.refresh_sent"]

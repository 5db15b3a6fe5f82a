"""Each refusal and failure of Salesforce, and the exception that it raises."""

import pytest

from orgs.salesforce import AuthUrl, SalesforceClient, SandboxCode, errors
from orgs.salesforce.emulator import Fault, error_texts

TOKEN_PATH = "/services/oauth2/token"
QUERY_PATH = "/services/data/v67.0/query"


@pytest.fixture
def org(emulator):
    return emulator.add_org("acme.my.salesforce.com", username="ci@acme.example")


@pytest.fixture
def auth_url(org, hosts):
    return AuthUrl.parse(org.auth_url(), hosts)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (error_texts.EXPIRED, errors.ExpiredToken),
        (error_texts.ALREADY_PROCESSING, errors.AlreadyProcessing),
        (error_texts.INACTIVE_USER, errors.UserInactive),
        (error_texts.INACTIVE_ORG, errors.OrgGone),
        (error_texts.APP_NOT_INSTALLED, errors.AppNotInstalled),
        (error_texts.EXTERNAL_APP_NOT_INSTALLED, errors.AppNotInstalled),
        (("invalid_client", error_texts.EXTERNAL_APP_NOT_INSTALLED[1]), errors.AppNotInstalled),
        (error_texts.APP_NOT_FOUND, errors.AppNotInstalled),
        (("app_not_found", ""), errors.AppNotInstalled),
        (("OAUTH_EC_APP_NOT_FOUND", ""), errors.AppNotInstalled),
        (error_texts.APP_BLOCKED, errors.AppBlocked),
        (("invalid_grant", "This app is blocked by admin"), errors.AppBlocked),
        (error_texts.API_ACCESS_DENIED, errors.APIAccessDenied),
        (error_texts.SERVER_ERROR, errors.ServerError),
        (error_texts.TEMPORARILY_UNAVAILABLE, errors.ServerError),
        (error_texts.INVALID_REQUEST, errors.UnknownRefusal),
        (error_texts.WRONG_CLIENT_ID, errors.AppRejected),
        (error_texts.WRONG_SECRET, errors.AppRejected),
        (error_texts.WRONG_GRANT_TYPE, errors.AppRejected),
        (error_texts.IP_RESTRICTED, errors.IPNotAllowed),
        (error_texts.NOT_APPROVED, errors.UserNotApproved),
        (error_texts.LOGIN_RATE, errors.LoginRateExceeded),
        (("rate_limit_exceeded", ""), errors.LoginRateExceeded),
        (("LOGIN_RATE", "LOGIN_RATE_EXCEEDED"), errors.LoginRateExceeded),
        (("inactive_user", "user is inactive"), errors.UserInactive),
        (("inactive_org", "org is inactive"), errors.OrgGone),
        (("invalid_grant", "authentication failure"), errors.UserInactive),
        (("invalid_grant", "Data Not Available"), errors.OrgGone),
        (("invalid_grant", "an unknown text"), errors.UnknownRefusal),
        (("invalid_grant", ""), errors.ExpiredToken),
        (error_texts.WRONG_CODE, errors.UnknownRefusal),
        (("invalid_client", "an unknown text"), errors.UnknownRefusal),
        (("invalid_client", ""), errors.AppRejected),
        (("invalid_app_access", "user is not admin approved to access this app"), errors.UserNotApproved),
        (("unknown_error", "retry your request"), errors.ServerError),
        (("an_unknown_error_code", ""), errors.UnknownRefusal),
    ],
)
def test_an_oauth_error_becomes_what_it_means(client, salesforce, auth_url, text, error):
    salesforce.inject(Fault.oauth(*text), path=TOKEN_PATH)

    with pytest.raises(errors.SalesforceError) as caught:
        client.refresh(auth_url)

    assert type(caught.value) is error
    assert text[1] not in str(caught.value) or not text[1]


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        ("invalid_request", "Salesforce's error code is invalid_request."),
        ("ERROR_HTTP_420", "Salesforce's error code is ERROR_HTTP_420."),
        ("invalid\x00_\x1b\u202erequest\n", "Salesforce's error code is invalid_request."),
        ("two words", ""),
        ("a1b2c3d4e5f6a7b8", ""),
        ("5Aep861" + "a" * 60, ""),
        ("x" * 25, ""),
        ("_".join(["word"] * 40), ""),
        ("<script>", ""),
        ("", ""),
    ],
)
def test_an_unknown_error_code_is_shown_if_it_consists_of_words(client, salesforce, auth_url, error, detail):
    salesforce.inject(Fault.oauth(error, "SECRET"), path=TOKEN_PATH)

    with pytest.raises(errors.UnknownRefusal) as caught:
        client.refresh(auth_url)

    assert caught.value.detail == detail
    assert "SECRET" not in str(caught.value)


def test_a_text_of_the_refresh_grant_says_nothing_of_a_code(client, salesforce, auth_url):
    salesforce.inject(Fault.oauth(*error_texts.EXPIRED), path=TOKEN_PATH)
    code = SandboxCode("ci@acme.example", "a-code", "https://acme.my.salesforce.com", "http://localhost:1717/")

    with pytest.raises(errors.UnknownRefusal):
        client.exchange_code(code, client_id="PlatformCLI", client_secret="")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.html_maintenance(), errors.Maintenance),
        (Fault.html_maintenance(200), errors.Maintenance),
        (Fault.html_maintenance(500), errors.Maintenance),
        (Fault.html_interstitial(), errors.NotReady),
        (Fault.status(200, error_texts.DATA_NOT_AVAILABLE_PAGE, "text/html"), errors.OrgGone),
        (Fault.status(200, error_texts.MAINTENANCE_PAGE, "text/html; charset=utf-8"), errors.Maintenance),
        (Fault.status(500, b"<html>oops</html>", "text/html"), errors.ServerError),
        (Fault.status(500), errors.ServerError),
        (Fault.status(501, b"{}", "application/json"), errors.ServerError),
        (Fault.status(502), errors.EdgeFailed),
        (Fault.status(503), errors.Maintenance),
        (Fault.status(504, b"<html></html>", "text/html"), errors.TimedOut),
        (Fault.status(429), errors.LoginRateExceeded),
        (Fault.status(429, b"<html></html>", "text/html"), errors.LoginRateExceeded),
        (Fault.status(404, b"not here"), errors.Unreadable),
        (Fault.status(400, b"{", "application/json"), errors.Unreadable),
        (Fault.status(400, b"[]", "application/json"), errors.Unreadable),
        (Fault.status(403, b'{"message": "blocked"}', "application/json"), errors.Unreadable),
        (Fault.status(400, b'{"error": {"a": 1}}', "application/json"), errors.Unreadable),
        (Fault.status(201, b"{}", "application/json"), errors.Unreadable),
        (Fault.status(204, b"", "application/json"), errors.Unreadable),
        (Fault.status(200, error_texts.PROXY_PAGE, "text/html"), errors.Garbled),
        (Fault.status(403, error_texts.PROXY_PAGE, "text/html"), errors.Unreadable),
        (Fault.status(407, error_texts.PROXY_PAGE, "text/html"), errors.Unreadable),
        (Fault.body(b""), errors.Garbled),
        (Fault.body(b"{"), errors.Garbled),
        (Fault.body(b"[]"), errors.Garbled),
        (Fault.body(b"\xff\xfe"), errors.Garbled),
        (Fault.body(b"[" * 100_000), errors.Garbled),
        (Fault.oversized(), errors.Garbled),
        (Fault.content_type("text/plain"), errors.Unreadable),
        (Fault.content_type("application/jsonp"), errors.Unreadable),
        (Fault.redirect("http://169.254.169.254/"), errors.Redirected),
        (Fault.redirect("https://test.salesforce.com/services/oauth2/token"), errors.Redirected),
        (Fault.reset(), errors.LostResponse),
        (Fault.reset(processed=False), errors.LostResponse),
        (Fault.truncated(), errors.LostResponse),
    ],
)
def test_a_fault_of_the_token_endpoint_becomes_its_error_and_is_not_tried_again(
    a_transport, hosts, emulator, served, auth_url, fault, error
):
    emulator.inject(fault, path=TOKEN_PATH)

    with pytest.raises(errors.SalesforceError) as caught:
        SalesforceClient(a_transport(gateway=served.url), hosts).refresh(auth_url)

    assert type(caught.value) is error
    assert emulator.refreshes() == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.reset(), errors.LostResponse),
        (Fault.truncated(), errors.LostResponse),
        (Fault.hang(60), errors.TimedOut),
        (Fault.slow_drip(60), errors.TimedOut),
        (Fault.no_name(), errors.HostNotFound),
        (Fault.connection_refused(), errors.Unreachable),
        (Fault.no_route(), errors.Unreachable),
        (Fault.proxy_refused(407), errors.Unreachable),
        (Fault.untrusted_certificate(), errors.TLSFailed),
        (Fault.oversized(), errors.Garbled),
        (Fault.redirect("http://169.254.169.254/"), errors.Redirected),
        (Fault.html_maintenance(), errors.Maintenance),
    ],
)
def test_the_in_process_transport_shows_the_same_faults(client, salesforce, auth_url, fault, error):
    salesforce.inject(fault, path=TOKEN_PATH)

    with pytest.raises(errors.SalesforceError) as caught:
        client.refresh(auth_url)

    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.rest(401, "INVALID_SESSION_ID"), errors.SessionExpired),
        (Fault.rest(403, "INVALID_SESSION_ID"), errors.SessionExpired),
        (Fault.status(401, b"", "text/plain"), errors.SessionExpired),
        (Fault.status(403, error_texts.BAD_OAUTH_TOKEN), errors.SessionExpired),
        (Fault.status(403, error_texts.MISSING_OAUTH_TOKEN), errors.SessionExpired),
        (Fault.status(403, b"Wrong_Org"), errors.SessionExpired),
        (Fault.status(403, error_texts.BAD_OAUTH_TOKEN, "text/html"), errors.SessionExpired),
        (Fault.status(403, error_texts.BAD_OAUTH_TOKEN_PAGE, "text/html; charset=utf-8"), errors.SessionExpired),
        (Fault.status(403, error_texts.BAD_OAUTH_TOKEN_PAGE, "application/xhtml+xml"), errors.SessionExpired),
        (Fault.status(401, b"<html><h1>Unauthorized</h1></html>", "text/html"), errors.SessionExpired),
        (Fault.rest(401, "INACTIVE_ORG_OR_USER"), errors.UserInactive),
        (Fault.status(403, error_texts.BAD_OAUTH_TOKEN, "application/json"), errors.SessionExpired),
        (Fault.status(403, error_texts.BAD_OAUTH_TOKEN, "application/octet-stream"), errors.SessionExpired),
        (Fault.status(403, b'"Bad_OAuth_Token"', ""), errors.SessionExpired),
        (Fault.rest(401, *error_texts.UNFIT_SESSION), errors.APIAccessDenied),
        (Fault.rest(403, *error_texts.UNFIT_SESSION), errors.APIAccessDenied),
        (Fault.status(403, b"<html><h1>Forbidden</h1></html>", "text/html"), errors.Unreadable),
        (Fault.html_interstitial(), errors.NotReady),
        (Fault.status(200, error_texts.PROXY_PAGE, "text/html"), errors.Unreadable),
        (Fault.rest(403, "REQUEST_LIMIT_EXCEEDED"), errors.APILimitReached),
        (Fault.status(429), errors.APILimitReached),
        (Fault.status(429, b"<html></html>", "text/html"), errors.APILimitReached),
        (Fault.status(420), errors.OrgGone),
        (Fault.status(420, b"<html></html>", "text/html"), errors.OrgGone),
        (Fault.rest(403, "INACTIVE_ORG_OR_USER"), errors.UserInactive),
        (Fault.rest(403, "LOGIN_RATE_EXCEEDED"), errors.LoginRateExceeded),
        (Fault.rest(503, "SERVER_UNAVAILABLE"), errors.Maintenance),
        (Fault.rest(500, "UNKNOWN_EXCEPTION"), errors.ServerError),
        (Fault.rest(400, "MALFORMED_QUERY"), errors.RequestRefused),
        (Fault.rest(404, "NOT_FOUND"), errors.RequestRefused),
        (Fault.status(404, b"<html></html>", "text/html"), errors.Unreadable),
        (Fault.html_maintenance(200), errors.Maintenance),
        (Fault.status(502), errors.EdgeFailed),
        (Fault.body(b"{"), errors.Unreadable),
        (Fault.body(b"{}"), errors.Unreadable),
        (Fault.body(b'{"records": [1]}'), errors.Unreadable),
        (Fault.body(b'{"records": []}'), errors.Unreadable),
        (Fault.redirect("https://evil.example"), errors.Redirected),
    ],
)
def test_a_fault_of_the_rest_api_becomes_its_error(client, salesforce, auth_url, fault, error):
    session = client.refresh(auth_url).session
    salesforce.inject(fault, path=QUERY_PATH)

    with pytest.raises(errors.SalesforceError) as caught:
        client.organization(session)

    assert type(caught.value) is error


@pytest.mark.parametrize("code", ["lower", "A" * 81, "TWO WORDS", "", "X", None])
def test_an_error_code_that_is_not_a_word_is_not_repeated(client, salesforce, auth_url, code):
    session = client.refresh(auth_url).session
    salesforce.inject(Fault.rest(400, code, "SECRET"), path=QUERY_PATH)

    with pytest.raises(errors.RequestRefused) as caught:
        client.organization(session)

    assert caught.value.error_code == "UNKNOWN"
    assert "SECRET" not in str(caught.value)


def test_a_deleted_org_is_gone(client, salesforce, org, auth_url):
    org.delete()

    with pytest.raises(errors.OrgGone):
        client.refresh(auth_url)

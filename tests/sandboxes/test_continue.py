"""/sfp/api/auth/continue: a stable link without a secret that redirects authorized users to an org."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.http import QueryDict

from authn.errors import ContinuationRefused
from authn.models import AuditEvent
from authn.pages.continuation import read
from authn.roles import Role
from orgs.salesforce.emulator import Fault
from sandboxes.continue_action import continue_link
from sandboxes.models import PoolInstance
from tests.conftest import PASSWORD
from tests.orgs.factories import REGISTER
from tests.sandboxes.factories import PROD, REPOSITORY, an_instance
from tests.support.browser_client import Visitor, text_of

pytestmark = pytest.mark.django_db
CONTINUE = "/sfp/api/auth/continue"
DEV1 = f"{CONTINUE}?action=frontDoorUrl&params=targetOrg:dev1,prodOrg:{PROD}"
LOGIN = {"email": "mia@acme.example", "password": PASSWORD}


@pytest.fixture
def mia(a_person):
    return a_person("mia@acme.example")


@pytest.fixture
def visitor(mia):
    return Visitor().sign_in(mia)


def _link_in(page: str) -> str:
    return page.partition('class="button" href="')[2].partition('"')[0].replace("&amp;", "&")


# --- The link ------------------------------------------------------------------------------------------


def test_an_anonymous_visitor_sees_the_org_and_a_log_in_form(salesforce, sandbox):
    response = Visitor().get(f"{CONTINUE}?action=frontdoorurl&params=targetOrg:dev1,repository:acme/app,prodOrg:{PROD}")

    assert response.status_code == 200
    page = text_of(response)
    for text in ("dev1", "acme/app", PROD, 'name="password"', "Log in and continue"):
        assert text in page
    assert not salesforce.calls
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "same-origin"  # with no-referrer a form would send Origin: null
    assert response["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]


def test_the_log_in_returns_to_the_same_link(mia, sandbox):
    visitor = Visitor()

    response = visitor.post(DEV1, LOGIN)

    assert (response.status_code, response["Location"]) == (302, DEV1)
    page = text_of(visitor.get(DEV1))
    assert "data-auto-submit" in page
    assert 'name="password"' not in page


def test_a_get_request_creates_no_link(visitor, salesforce, sandbox):
    for method in (visitor.client.get, visitor.client.head):
        assert method(DEV1).status_code == 200

    assert not salesforce.calls


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose", "X-Moz"])
def test_a_prefetch_gets_an_empty_response(header, visitor, salesforce, sandbox):
    response = visitor.client.get(DEV1, headers={header: "prefetch"})

    assert (response.status_code, response.content) == (204, b"")


def test_the_post_returns_a_page_that_redirects_to_a_one_time_link(visitor, salesforce, sandbox):
    response = visitor.post(DEV1)

    assert response.status_code == 200
    link = _link_in(text_of(response))
    code = parse_qs(urlsplit(link).query)["otp"][0]
    assert salesforce.visits[code].user.org is sandbox
    assert f'<noscript><meta http-equiv="refresh" content="0;url={link.replace("&", "&amp;")}"></noscript>' in text_of(
        response
    )
    assert "Location" not in response
    row = AuditEvent.objects.get(action="frontdoor.handed_out")
    assert (row.actor_name, row.outcome) == ("mia@acme.example", "granted")


def test_the_post_requires_a_csrf_token(visitor, salesforce, sandbox):
    response = visitor.client.post(DEV1)

    assert response.status_code == 403
    assert not salesforce.calls


def test_a_log_in_from_another_site_is_refused(mia, sandbox):
    visitor = Visitor()

    response = visitor.client.post(DEV1, LOGIN)

    assert response.status_code == 403
    assert "sessionid" not in response.cookies


def test_the_session_key_changes_at_the_log_in(mia, sandbox):
    visitor = Visitor()
    visitor.client.cookies["sessionid"] = "a" * 32

    visitor.post(DEV1, LOGIN)

    assert visitor.client.cookies["sessionid"].value != "a" * 32
    assert visitor.client.cookies["sessionid"]["httponly"]
    assert visitor.client.cookies["sessionid"]["samesite"] == "Lax"


@pytest.mark.parametrize(
    "query",
    [
        "action=https://evil.example&params=targetOrg:dev1",
        "action=&params=targetOrg:dev1",
        "params=targetOrg:dev1",
        "action=frontDoorUrl",
        "action=frontDoorUrl&params=",
        "action=frontDoorUrl&params=repository:acme/app",
        "action=frontDoorUrl&params=targetOrg:dev1,targetOrg:dev2",
        "action=frontDoorUrl&params=targetOrg:dev1%2CtargetOrg:dev2",
        "action=frontDoorUrl&params=targetOrg:",
        "action=frontDoorUrl&params=targetOrg",
        "action=frontDoorUrl&params=targetOrg:dev1,next:https://evil.example",
        "action=frontDoorUrl&params=targetOrg:https://evil.example",
        "action=frontDoorUrl&params=targetOrg:dev1,repository:javascript:1",
        "action=frontDoorUrl&params=targetOrg:dev1,prodOrg:<script>alert(1)</script>",
        "action=frontDoorUrl&params=targetOrg:%00",
        "action=frontDoorUrl&params=targetOrg:" + "a" * 3000,
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_invalid_link_is_a_400_page(method, query, visitor, salesforce):
    response = getattr(visitor.client, method)(f"{CONTINUE}?{query}")

    # A POST without a token is refused before its link is read.
    assert response.status_code == (400 if method == "get" else 403)
    assert response["Content-Type"].startswith("text/html")
    assert "Location" not in response
    assert "<script>alert" not in text_of(response)
    assert not salesforce.calls


def _query(action, params):
    return QueryDict(urlencode({"action": action, "params": params}))


def test_parameters_are_split_at_commas_and_at_the_first_colon():
    continuation = read(_query("FRONTDOORURL", " targetOrg : dev1 ,repository:acme/proj/app"))

    assert dict(continuation.params) == {"targetOrg": "dev1", "repository": "acme/proj/app"}
    with pytest.raises(ContinuationRefused):
        read(_query("frontDoorUrl", "targetOrg:a:b"))


@pytest.mark.parametrize(
    "query",
    [
        {"name": "dev1", "production": f"{PROD},repository:acme/app"},
        {"name": "dev1", "production": "a:b"},
        {"name": "dev1,prodOrg:x"},
        {"name": "<b>"},
        {},
    ],
)
def test_an_entered_name_adds_no_parameters_to_the_link(query, visitor):
    response = visitor.get("/open", **query)

    assert response.status_code == 400
    assert "<b>" not in text_of(response)


def test_an_entered_name_leads_to_its_link(visitor):
    response = visitor.get("/open", name=" dev1 ", production=PROD)

    assert (response.status_code, response["Location"]) == (302, DEV1)


def test_a_created_link_is_parsed_back():
    link = continue_link("ci+x@acme.example", repository=REPOSITORY)

    assert link == f"{CONTINUE}?action=frontDoorUrl&params=targetOrg:ci%2Bx@acme.example,repository:acme/app"


# --- Errors --------------------------------------------------------------------------------------------


def test_a_wrong_password_stays_on_the_page(mia, sandbox):
    response = Visitor().post(DEV1, LOGIN | {"password": "wrong"})

    page = text_of(response)
    assert "Incorrect e-mail or password" in page
    assert "dev1" in page


def test_a_locked_name_is_reported(mia, sandbox):
    visitor = Visitor()
    for _ in range(5):
        visitor.post(DEV1, LOGIN | {"password": "wrong"})

    assert "it is locked for 15 minutes" in text_of(visitor.post(DEV1, LOGIN))


@pytest.mark.parametrize(
    ("target", "status", "text"),
    [
        (PROD, 403, "Members may not open"),
        ("nope", 404, "No sandbox &#x27;nope&#x27; was found"),
        ("unknown@acme.example", 404, "No scratch org unknown@acme.example"),
    ],
)
def test_an_org_without_access_is_an_error_page(target, status, text, visitor, sandbox):
    path = f"{CONTINUE}?action=frontDoorUrl&params=targetOrg:{target}"

    response = visitor.post(path)

    assert response.status_code == status
    assert response["Content-Type"].startswith("text/html")
    assert text in text_of(response)
    assert "Go to the start page" in text_of(response)


def test_a_refusal_is_audited(visitor, sandbox):
    visitor.post(f"{CONTINUE}?action=frontDoorUrl&params=targetOrg:{PROD}")

    row = AuditEvent.objects.get(action="request", outcome="refused")
    assert (row.code, row.actor_name) == ("FRONTDOOR_NOT_ALLOWED", "mia@acme.example")


def test_the_maintenance_page_says_when_to_try_again(visitor, salesforce, sandbox):
    salesforce.inject(Fault.html_maintenance(), path="/services/data/v67.0/tooling/sandboxAuth")

    response = visitor.post(DEV1)

    assert (response.status_code, response["Retry-After"]) == (503, "60")
    assert "maintenance" in text_of(response)
    assert "Try again" in text_of(response)


def test_an_owner_is_redirected_to_a_production_org(a_person, salesforce, production):
    visitor = Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))

    response = visitor.post(f"{CONTINUE}?action=frontDoorUrl&params=targetOrg:{PROD}")

    assert "otp=" in _link_in(text_of(response))


def test_a_pool_instance_is_found_by_its_repository(owner, visitor, sandbox):
    an_instance(owner)
    path = f"{CONTINUE}?action=frontDoorUrl&params=targetOrg:dev1,repository:{REPOSITORY}"

    refused = visitor.post(path)
    PoolInstance.objects.update(status="ASSIGNED", assignment_id="pr-1")
    page = visitor.post(path)

    assert refused.status_code == 403
    assert "otp=" in _link_in(text_of(page))


def test_the_link_and_the_log_have_no_secret(owner, visitor, sandbox, caplog):
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})

    link = _link_in(text_of(visitor.post(f"{CONTINUE}?action=frontDoorUrl&params=targetOrg:dev1")))

    assert parse_qs(urlsplit(link).query)["otp"][0] not in caplog.text
    assert "sid=" not in link

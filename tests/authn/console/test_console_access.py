"""Only active owners open the console: each address is requested by all other callers."""

import re
import uuid

import pytest

from authn.models import ApplicationToken
from authn.principals import system
from authn.roles import Role
from authn.users import update_user
from tests.support.api_client import Caller
from tests.support.browser_client import Visitor, text_of
from tests.support.routes import console_paths

pytestmark = pytest.mark.django_db
BY = system("tests")
PATHS = sorted({re.sub(r"<[^>]+>|\(\?P<[^>]+>[^)]*\)|\^|\$|\\Z", "1", path) for path in console_paths()})


@pytest.fixture
def an_owner(a_person) -> Visitor:
    """Return an owner at the console, whose forms need no CSRF token."""
    return Visitor(enforce_csrf=False).sign_in(a_person("olga@acme.example", Role.OWNER))


def test_there_are_console_pages():
    assert len(PATHS) > 30
    assert "/console/orgs/salesforceorg/add/" in PATHS


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_anonymous_user_is_redirected_to_the_log_in(method, each):
    for path in PATHS:
        with each(path):
            visitor = Visitor(enforce_csrf=False)

            response = getattr(visitor.client, method)(path)

            assert response.status_code == 302
            assert response["Location"].startswith(("/console/login/", "/login", "/console/", "/logout", "/password"))
            assert "<table" not in text_of(response)


def test_a_member_is_refused_at_every_console_page(a_person, each):
    visitor = Visitor().sign_in(a_person("mia@acme.example"))
    for path in PATHS:
        if re.search("login|logout|password_change", path):
            continue
        with each(path):
            login = visitor.get(path)
            response = visitor.client.get(path, follow=True)

            assert (login.status_code, login["Location"].partition("?")[0]) == (302, "/console/login/")
            assert response.status_code == 403
            assert "The console is for owners of this desk." in text_of(response)


@pytest.mark.database
@pytest.mark.parametrize("bearer", ["owner", "application"])
def test_a_bearer_token_does_not_open_a_page(bearer, request):
    caller: Caller = request.getfixturevalue(bearer)

    assert caller.get("/console/").status_code == 302


@pytest.mark.database
@pytest.mark.parametrize("change", [{"role": Role.MEMBER}, {"is_active": False}])
def test_a_former_owner_is_refused_at_the_next_request(change, a_person):
    olga = a_person("olga@acme.example", Role.OWNER)
    a_person("second@acme.example", Role.OWNER)
    visitor = Visitor().sign_in(olga)
    assert visitor.get("/console/").status_code == 200

    update_user(olga, by=BY, **change)

    assert visitor.get("/console/").status_code == 302


def test_the_log_in_redirects_to_the_requested_page(db):
    response = Visitor().client.get("/console/authn/user/?q=x", follow=True)

    assert response.redirect_chain[-1][0] == "/login?next=/console/authn/user/%3Fq%3Dx"


@pytest.mark.parametrize("address", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_the_consoles_own_log_in_leads_to_no_other_host(address, db):
    response = Visitor().get("/console/login/", next=address)

    assert response["Location"] == "/login?next=/console/"


def test_a_form_of_another_site_changes_nothing(a_person):
    olga = a_person("olga@acme.example", Role.OWNER)
    visitor = Visitor().sign_in(olga)

    response = visitor.client.post("/console/authn/applicationtoken/add/", {"name": "evil", "days": 1})

    assert response.status_code == 403
    assert not ApplicationToken.objects.exists()


NOT_THERE = [
    f"/console/authn/user/{uuid.UUID(int=1)}/change/",
    "/console/orgs/salesforceorg/x/change/",
    "/console/orgs/salesforceorg/99999999999999999999999999/delete/",
    "/console/authn/auditevent/a%00b/change/",
    "/console/nothing/",
    "/console/orgs/salesforceorg/delete/",
    "/console/orgs/salesforceorg/delete/?ids=a,,1e9",
    "/console/authn/user/1/delete/",
    "/console/authn/applicationtoken/1/delete/",
]
# Buttons, which accept only POST.
BUTTONS_OF_NOTHING = ["/console/orgs/salesforceorg/99/test/", "/console/authn/user/x/password-link/"]


@pytest.mark.database
@pytest.mark.parametrize(("method", "of_buttons"), [("get", 405), ("post", 404)])
def test_unknown_addresses_and_methods_are_404_or_405(method, of_buttons, an_owner, each):
    for path in NOT_THERE:
        with each(path):
            assert getattr(an_owner.client, method)(path).status_code == 404
    for path in BUTTONS_OF_NOTHING:
        with each(path):
            assert getattr(an_owner.client, method)(path).status_code == of_buttons


LISTS = ["orgs/salesforceorg", "sandboxes/poolinstance", "authn/user", "authn/applicationtoken", "authn/auditevent"]
# Unknown filters are refused; invalid orders and pages are ignored.
ODD_QUERIES = {
    **dict.fromkeys(["p=x", "p=-1", "p=99999999", "o=x.y", "o=99", "e=1", "all=", "_facets=1", "q=%ff"], 200),
    "q=%00": 400,
    "kind__exact=%00": 400,
    "at__gte=never": 400,
    "from=never": 400,
    "id__exact=abc": 400,
    "password__startswith=a": 400,
    "credential__sealed_grant__contains=x": 400,
    "is_active__exact=maybe": 400,
    "role__exact=x&role__exact=y": 400,
    "state=x": 400,
    "metadata_key=%F0%9F%92%A9": 400,
}
# Filters of one list, which are led back to the whole list or find what they find.
ODD_FILTERS = {
    ("authn/auditevent", "from=never"): 200,
    ("authn/user", "is_active__exact=maybe"): 302,
    ("authn/user", "role__exact=x&role__exact=y"): 200,
    ("authn/applicationtoken", "state=x"): 200,
    ("orgs/salesforceorg", "metadata_key=%F0%9F%92%A9"): 200,
}
ODD_ACTIONS = [
    {"action": "delete_selected"},
    {"action": "x"},
    {},
    {"action": "test_connections"},
    {"action": "test_connections", "_selected_action": "abc"},
    {"action": "test_connections", "_selected_action": "9" * 40},
    {"action": "make_default", "_selected_action": "1", "index": "zz"},
    {"action": "delete_orgs", "_selected_action": "1", "select_across": "1"},
]


@pytest.mark.database
@pytest.mark.parametrize("part", LISTS)
def test_an_invalid_query_is_not_a_server_error(part, an_owner, each):
    for query, status in ODD_QUERIES.items():
        with each(query):
            response = an_owner.client.get(f"/console/{part}/?{query}")

            assert response.status_code == ODD_FILTERS.get((part, query), status), response


@pytest.mark.database
@pytest.mark.parametrize("part", LISTS)
def test_an_invalid_action_is_not_a_server_error(part, an_owner, each):
    for fields in ODD_ACTIONS:
        with each(str(fields)):
            response = an_owner.client.post(f"/console/{part}/", fields)

            acts = part in ("orgs/salesforceorg", "sandboxes/poolinstance") and "_selected_action" in fields
            assert response.status_code == (302 if acts else 200), response


@pytest.mark.database
@pytest.mark.parametrize(
    ("part", "lookup"),
    [
        ("authn/user", "password__startswith=a"),
        ("authn/applicationtoken", "digest__startswith=a"),
        ("orgs/salesforceorg", "credential__sealed_grant__contains=x"),
        ("orgs/salesforceorg", "credential__known_tokens__digest__startswith=a"),
    ],
)
def test_no_filter_can_probe_a_secret(part, lookup, a_person):
    visitor = Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))

    assert visitor.client.get(f"/console/{part}/?{lookup}").status_code == 400


@pytest.mark.parametrize("path", ["/admin", "/admin/"])
def test_the_address_of_other_django_sites_leads_to_the_console(path, an_owner):
    assert an_owner.client.get(path)["Location"] == "/console/"

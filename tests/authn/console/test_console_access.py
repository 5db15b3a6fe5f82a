"""Only active owners enter the console: every one of its addresses is tried by everybody else."""

import re
import uuid

import pytest

from authn.principals import system
from authn.roles import Role
from authn.users import update_user
from tests.support.api_client import Caller
from tests.support.browser_client import Visitor, text_of
from tests.support.routes import console_paths

pytestmark = pytest.mark.django_db
BY = system("tests")
PATHS = sorted({re.sub(r"<[^>]+>|\(\?P<[^>]+>[^)]*\)|\^|\$|\\Z", "1", path) for path in console_paths()})


def test_there_are_addresses_to_try():
    assert len(PATHS) > 30
    assert "/console/orgs/salesforceorg/add/" in PATHS


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", PATHS)
def test_a_stranger_is_led_to_the_log_in(path, method):
    visitor = Visitor()
    visitor.client.handler.enforce_csrf_checks = False

    answer = getattr(visitor.client, method)(path)

    assert answer.status_code == 302
    assert answer["Location"].startswith(("/console/login/", "/login", "/console/", "/logout", "/password"))
    assert "<table" not in text_of(answer)


@pytest.mark.parametrize("path", [path for path in PATHS if not re.search("login|logout|password_change", path)])
def test_a_member_gets_no_further_than_the_door(path, a_person):
    visitor = Visitor().sign_in(a_person("mia@acme.example"))

    door = visitor.get(path)
    answer = visitor.client.get(path, follow=True)

    assert (door.status_code, door["Location"].partition("?")[0]) == (302, "/console/login/")
    assert answer.status_code == 403
    assert "The console is for owners of this desk." in text_of(answer)


@pytest.mark.database
@pytest.mark.parametrize("bearer", ["owner", "application"])
def test_a_bearer_opens_no_page(bearer, request):
    caller: Caller = request.getfixturevalue(bearer)

    assert caller.get("/console/").status_code == 302


@pytest.mark.database
@pytest.mark.parametrize("change", [{"role": Role.MEMBER}, {"is_active": False}])
def test_an_owner_no_more_is_out_at_the_next_request(change, a_person):
    olga = a_person("olga@acme.example", Role.OWNER)
    a_person("second@acme.example", Role.OWNER)
    visitor = Visitor().sign_in(olga)
    assert visitor.get("/console/").status_code == 200

    update_user(olga, by=BY, **change)

    assert visitor.get("/console/").status_code == 302


def test_the_log_in_leads_back_to_where_one_wanted_to_go(db):
    answer = Visitor().client.get("/console/authn/user/?q=x", follow=True)

    assert answer.redirect_chain[-1][0] == "/login?next=/console/authn/user/%3Fq%3Dx"


@pytest.mark.parametrize("address", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_the_consoles_own_log_in_leads_to_no_other_host(address, db):
    answer = Visitor().get("/console/login/", next=address)

    assert answer["Location"] == "/login?next=/console/"


def test_a_form_of_another_site_changes_nothing(a_person):
    olga = a_person("olga@acme.example", Role.OWNER)
    visitor = Visitor().sign_in(olga)

    answer = visitor.client.post("/console/authn/applicationtoken/add/", {"name": "evil", "days": 1})

    assert answer.status_code == 403


@pytest.mark.database
@pytest.mark.parametrize(
    "path",
    [
        f"/console/authn/user/{uuid.UUID(int=1)}/change/",
        "/console/orgs/salesforceorg/99/test/",
        "/console/orgs/salesforceorg/x/change/",
        "/console/authn/user/x/password-link/",
        "/console/orgs/salesforceorg/99999999999999999999999999/delete/",
        "/console/authn/auditevent/a%00b/change/",
        "/console/nothing/",
        "/console/orgs/salesforceorg/delete/",
        "/console/orgs/salesforceorg/delete/?ids=a,,1e9",
        "/console/authn/user/1/delete/",
        "/console/authn/applicationtoken/1/delete/",
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_not_there_is_404_or_405(path, method, a_person):
    visitor = Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))
    visitor.client.handler.enforce_csrf_checks = False

    assert getattr(visitor.client, method)(path).status_code in (404, 405)


LISTS = ["orgs/salesforceorg", "sandboxes/poolinstance", "authn/user", "authn/applicationtoken", "authn/auditevent"]
ODD_QUERIES = [
    "q=%00",
    "p=x",
    "p=-1",
    "p=99999999",
    "o=x.y",
    "o=99",
    "e=1",
    "all=",
    "_facets=1",
    "kind__exact=%00",
    "at__gte=never",
    "id__exact=abc",
    "password__startswith=a",
    "credential__sealed_grant__contains=x",
    "is_active__exact=maybe",
    "q=%ff",
    "role__exact=x&role__exact=y",
    "state=x",
    "metadata_key=%F0%9F%92%A9",
]


@pytest.mark.database
@pytest.mark.parametrize("query", ODD_QUERIES)
@pytest.mark.parametrize("part", LISTS)
def test_an_odd_query_is_no_failure_of_ours(part, query, a_person):
    visitor = Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))

    answer = visitor.client.get(f"/console/{part}/?{query}")

    assert answer.status_code in (200, 302, 400), answer


@pytest.mark.database
@pytest.mark.parametrize(
    "fields",
    [
        {"action": "delete_selected"},
        {"action": "x"},
        {},
        {"action": "test_connections"},
        {"action": "test_connections", "_selected_action": "abc"},
        {"action": "test_connections", "_selected_action": "9" * 40},
        {"action": "make_default", "_selected_action": "1", "index": "zz"},
        {"action": "delete_orgs", "_selected_action": "1", "select_across": "1"},
    ],
)
@pytest.mark.parametrize("part", LISTS)
def test_an_odd_action_is_no_failure_of_ours(part, fields, a_person):
    visitor = Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))
    visitor.client.handler.enforce_csrf_checks = False

    answer = visitor.client.post(f"/console/{part}/", fields)

    assert answer.status_code in (200, 302, 403), answer


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
def test_no_filter_feels_its_way_to_a_secret(part, lookup, a_person):
    visitor = Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))

    assert visitor.client.get(f"/console/{part}/?{lookup}").status_code == 400

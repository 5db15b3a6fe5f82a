"""Control characters and direction marks are refused in input and escaped in output."""

import base64
import csv
import io

import pytest
from django.core.management import CommandError, call_command

from authn import audit
from authn.models import ApplicationToken, AuditEvent, LoginFamily, User
from authn.principals import Principal
from authn.roles import Role
from authn.web.safe_text import escaped, is_safe_text
from orgs.models import SalesforceOrg
from sandboxes.models import PoolInstance
from tests.authn.servicestack.wire import NAME, Wire
from tests.conftest import PASSWORD
from tests.orgs.factories import ORG, REGISTER, an_org
from tests.sandboxes.factories import FETCH, POOLS, PROD, REPOSITORY, a_production_org, an_instance
from tests.support.api_client import Caller
from tests.support.browser_client import Visitor, text_of

pytestmark = pytest.mark.django_db
UNSAFE = {
    "ESC": "\x1b",
    "DEL": "\x7f",
    "C1": "\x9b",
    "line separator": "\u2028",
    "left-to-right mark": "\u200e",
    "right-to-left mark": "\u200f",
    "Arabic letter mark": "\u061c",
    "override": "\u202e",
    "embedding": "\u202a",
    "isolate": "\u2066",
    "end of isolate": "\u2069",
}
LOGIN = "/sfp/api/auth/admin/login"
TOKENS = "/sfp/api/application-tokens"
CONSOLE_TOKENS = "/console/authn/applicationtoken/"
CONSOLE_USERS = "/console/authn/user/"
CONSOLE_ORGS = "/console/orgs/salesforceorg/"
AUDIT = "/console/authn/auditevent/"


@pytest.fixture
def console(owner) -> Visitor:
    return Visitor().sign_in(User.objects.get(email="owner@acme.example"))


@pytest.mark.parametrize(
    "text", ["", "ci@acme.example", "Größe 7", "東京　支社", "emoji 👩‍🚀", "عربى", "nightly build"]
)
def test_ordinary_text_is_safe_and_shown_unchanged(text):
    assert is_safe_text(text)
    assert escaped(text) == text


@pytest.mark.parametrize("character", [*UNSAFE.values(), "\n", "\t", "\x00", "\ud800"])
def test_an_unsafe_character_is_found_and_escaped(character):
    assert not is_safe_text(f"a{character}b")
    assert escaped(f"a{character}b") == f"a{character.encode('unicode_escape').decode()}b".replace(
        "\\n", "\\x0a"
    ).replace("\\t", "\\x09")


def test_line_breaks_and_tabs_are_allowed_where_a_text_may_have_lines():
    assert is_safe_text("a\r\n\tb", lines=True)
    assert escaped("a\r\n\tb\x1b", lines=True) == "a\r\n\tb\\x1b"


@pytest.mark.parametrize("character", UNSAFE.values(), ids=UNSAFE)
def test_the_api_refuses_an_unsafe_name_and_stores_nothing(character, owner, salesforce, subtests):
    production, org = a_production_org(owner, salesforce), an_org(salesforce, "new@acme.example")
    an_instance(owner)
    name = f"a{character}b"
    fetch = {"repository": REPOSITORY, "poolTag": "features", "assignmentId": "run-1"}
    wishes = {
        "name of a token": (owner.post, TOKENS, {"name": name}, {}),
        "key of metadata": (owner.patch, ORG, {"metadata": {name: 1}}, {"username": production.username}),
        "nested key": (owner.patch, ORG, {"metadata": {"a": [{name: 1}]}}, {"username": production.username}),
        "value of metadata": (owner.post, REGISTER, {"sfdxAuthUrl": org.auth_url(), "metadata": {"a": name}}, {}),
        "username": (owner.post, REGISTER, {"sfdxAuthUrl": org.auth_url(), "username": name}, {}),
        "name of an instance": (owner.post, POOLS, _instance(name=name, type="SCRATCH_ORG", username="s@a.b"), {}),
        "tag of a pool": (owner.post, POOLS, _instance(poolTag=name), {}),
        "assignment": (owner.post, FETCH, fetch | {"assignmentId": name}, {}),
        "e-mail": (owner.post, FETCH, fetch | {"assignedToUserEmail": f'"{name}"@acme.example'}, {}),
        "e-mail of a log-in": (Caller().post, LOGIN, {"email": f'"{name}"@acme.example', "password": "x"}, {}),
    }
    before = _stored()

    for what, (send, path, body, query) in wishes.items():
        with subtests.test(what):
            response = send(path, body, **query)

            assert (response.status_code, response.json()["code"]) == (400, "VALIDATION_FAILED"), response
            assert _stored() == before


def _instance(**wish):
    return {
        "repository": REPOSITORY,
        "poolTag": "features",
        "name": "dev2",
        "type": "SANDBOX",
        "parentUsername": PROD,
    } | wish


def _stored() -> list[object]:
    models = (ApplicationToken, SalesforceOrg, PoolInstance, LoginFamily, AuditEvent)
    metadata = [org.metadata for org in SalesforceOrg.objects.all()]
    return [*(model._default_manager.count() for model in models), metadata]


def test_a_value_of_metadata_may_have_lines(owner, salesforce):
    production = a_production_org(owner, salesforce)

    response = owner.patch(ORG, {"metadata": {"note": "one\n\ttwo"}}, username=production.username)

    assert response.json()["metadata"] == {"note": "one\n\ttwo"}


def test_the_forms_refuse_an_unsafe_name_and_say_why(console, owner, salesforce, subtests):
    production = a_production_org(owner, salesforce)
    org = SalesforceOrg.objects.get(username=production.username)
    forms = {
        f"{CONSOLE_TOKENS}add/": {"name": "a\u202eb", "days": "7"},
        f"{CONSOLE_USERS}add/": {"email": '"\x1b"@acme.example', "role": "member"},
        f"{CONSOLE_ORGS}{org.pk}/change/": {"metadata": '{"a\\u202eb": 1}'},
        "/console/sandboxes/poolinstance/add/": {
            "repository": REPOSITORY, "pool_tag": "features", "type": "SCRATCH_ORG", "name": "a\u202eb",
            "status": "AVAILABLE", "username": "s@a.b", "parent_username": PROD,
        },
    }  # fmt: skip
    before = _stored()

    for path, fields in forms.items():
        with subtests.test(path):
            response = console.post(path, fields)

            assert response.status_code == 200
            assert "errorlist" in text_of(response)
            assert _stored() == before


def test_the_log_in_page_refuses_an_unsafe_email_without_an_attempt(db):
    response = Visitor().post("/login", {"email": "\u202emia@acme.example", "password": PASSWORD})

    assert "bidirectional formatting characters" in text_of(response)
    assert not AuditEvent.objects.exists()


def test_servicestack_refuses_an_unsafe_name_without_an_attempt(a_person):
    a_person(NAME)
    name = f"{NAME}\x1b[2J"
    basic = base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()

    by_message = Wire().post("/auth/credentials", {"UserName": name, "Password": PASSWORD})
    by_header = Wire().get("/auth", Authorization=f"Basic {basic}")

    assert (by_message.status, by_message.error()["errors"][0]["fieldName"]) == (400, "UserName")
    assert by_header.status == 401
    assert not AuditEvent.objects.exists()


def test_a_password_may_hold_any_character_that_can_be_stored(a_person):
    password = "correct \x1b\u202e horse\tbattery"
    a_person("mia@acme.example", password=password)

    assert Caller().post(LOGIN, {"email": "mia@acme.example", "password": password}).status_code == 200


def test_commands_refuse_an_unsafe_name(monkeypatch, subtests):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    commands = [
        ("issue_application_token", "a\x1bb"),
        ("add_user", '"\x1b"@acme.example', "--password-stdin"),
        ("import_pool", "--dev-hub", PROD, "--repository", REPOSITORY, "--tag", "a\u202eb"),
    ]
    for command in commands:
        with subtests.test(command[0]), pytest.raises(CommandError, match=r"control|direction"):
            call_command(*command)
    assert not ApplicationToken.objects.exists()
    assert not User.objects.exists()


# --- External text -----------------------------------------------------------------------------


def test_the_audit_escapes_external_names(db):
    by = Principal(kind="application", id="1", name="nightly\x1b[2J", role=Role.APPLICATION)

    row = audit.record(
        audit.Action.ACCESS_TOKEN,
        audit.Outcome.GRANTED,
        by=by,
        target=audit.org_named("ci\u202e@acme.example"),
        note=["a\u200fb"],
    )

    row.refresh_from_db()
    assert (row.actor_name, row.target_label, row.details) == (
        "nightly\\x1b[2J", "ci\\u202e@acme.example", {"note": ["a\\u200fb"]},
    )  # fmt: skip


def test_an_escaped_name_is_truncated(db):
    by = Principal(kind="application", id="1", name="\x1b" * 254, role=Role.APPLICATION)

    row = audit.record(audit.Action.REQUEST, audit.Outcome.REFUSED, by=by, target=audit.org_named("\x1b" * 255))

    assert (len(row.actor_name), len(row.target_label)) == (254, 255)


def test_rows_of_an_older_version_are_shown_escaped(console, subtests):
    row = AuditEvent.objects.create(
        action=audit.Action.ACCESS_TOKEN, outcome=audit.Outcome.GRANTED, actor_kind="application",
        actor_name="nightly\x1b[2J", target_label="ci\u202e@acme.example", details={"note": "a\u202eb\x9b"},
    )  # fmt: skip
    token = ApplicationToken.objects.create(
        name="old\u202e\x1b", digest="d", prefix="fdt_abcdef", expires_at="2099-01-01T00:00Z"
    )
    pages = [AUDIT, f"{AUDIT}{row.pk}/change/", CONSOLE_TOKENS, f"{CONSOLE_TOKENS}{token.pk}/change/", "/console/"]

    for path in pages:
        with subtests.test(path):
            assert is_safe_text(text_of(console.get(path)), lines=True)
    assert "nightly\\x1b[2J" in text_of(console.get(AUDIT))
    assert "ci\\u202e@acme.example" in text_of(console.get(AUDIT))


def test_cells_of_the_export_are_escaped(console):
    AuditEvent.objects.create(
        action=audit.Action.ACCESS_TOKEN, outcome=audit.Outcome.GRANTED, actor_kind="application",
        actor_name="nightly\x1b[2J", target_kind="org", target_label="\t=1+1", details={"note": "a\u202eb\x9b"},
    )  # fmt: skip

    export = text_of(console.get(f"{AUDIT}export.csv"))

    row = list(csv.reader(io.StringIO(export)))[1]
    assert (row[6], row[8], row[11]) == ("nightly\\x1b[2J", "\\x09=1+1", '{"note": "a\\u202eb\\x9b"}')
    assert is_safe_text(export, lines=True)


@pytest.mark.parametrize("path", ["/?q=a%E2%80%AEb", "/open?name=a%E2%80%AEb", "/?part=1&q=a%1Bb"])
def test_a_link_with_direction_marks_is_shown_escaped(path, console):
    assert is_safe_text(text_of(console.get(path)), lines=True)

"""Console pages for users, application tokens and the audit."""

import csv
import io
import re

import pytest
from django.contrib.admin.models import LogEntry

from authn import audit, tokens
from authn.console.audit_csv import guarded
from authn.models import ApplicationToken, AuditEvent, User
from authn.principals import Principal, system
from authn.roles import Role
from authn.users import add_user
from tests.support.api_client import Caller
from tests.support.browser_client import Visitor, text_of

pytestmark = pytest.mark.django_db
BY = system("tests")
USERS = "/console/authn/user/"
TOKENS = "/console/authn/applicationtoken/"
AUDIT = "/console/authn/auditevent/"


@pytest.fixture
def olga(a_person) -> User:
    return a_person("olga@acme.example", Role.OWNER)


@pytest.fixture
def console(olga) -> Visitor:
    return Visitor().sign_in(olga)


def _secret(response) -> str:
    return re.findall(r'<code id="secret">([^<]+)</code>', text_of(response))[0]


# --- Users -------------------------------------------------------------------------------------------


@pytest.mark.database
def test_an_invitation_creates_a_user_and_shows_the_link_once(console):
    response = console.post(f"{USERS}add/", {"email": "Ines@Acme.example", "role": "member"})

    assert _secret(response).startswith("http://localhost:8000/set-password/")
    ines = User.objects.get(email="ines@acme.example")
    assert (ines.role, ines.has_usable_password()) == ("member", False)
    row = AuditEvent.objects.get(action="person.added")
    assert (row.actor_name, row.target_label) == ("olga@acme.example", "ines@acme.example")
    assert "set-password" not in text_of(console.get(f"{USERS}{ines.pk}/change/"))
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"email": " OLGA@acme.example "}, "already exists"),
        ({"email": "no address"}, "Enter a valid email address."),
        ({"email": ""}, "This field is required."),
        ({"email": "x" * 300 + "@acme.example"}, "at most 254 characters"),
        ({"email": "a@acme.example\x00"}, "Null characters"),
        ({"role": "application"}, "not one of the available choices"),
        ({"role": ""}, "This field is required."),
    ],
)
def test_an_invalid_invitation_shows_the_reason(fields, words, console):
    response = console.post(f"{USERS}add/", {"email": "ines@acme.example", "role": "member", **fields})

    assert response.status_code == 200
    assert words in text_of(response)
    assert User.objects.count() == 1


@pytest.mark.database
def test_a_role_is_changed_and_a_user_deactivated(console, a_person):
    mia = a_person("mia@acme.example")

    console.post(f"{USERS}{mia.pk}/change/", {"role": "owner", "is_active": "on"})
    mia.refresh_from_db()
    assert (mia.role, mia.is_active) == ("owner", True)

    console.post(f"{USERS}{mia.pk}/change/", {"role": "member"})
    mia.refresh_from_db()
    assert (mia.role, mia.is_active) == ("member", False)
    assert {event.actor_name for event in AuditEvent.objects.filter(action="person.changed")} == {"olga@acme.example"}


@pytest.mark.database
@pytest.mark.parametrize("fields", [{"role": "member", "is_active": "on"}, {"role": "owner"}])
def test_the_last_owner_stays(fields, console, olga):
    response = console.post(f"{USERS}{olga.pk}/change/", fields)

    assert "This is the last active owner. Make another user an owner first." in text_of(response)
    olga.refresh_from_db()
    assert (olga.role, olga.is_active) == ("owner", True)


def test_a_password_link_is_created_only_by_the_button(console, a_person):
    mia = a_person("mia@acme.example")
    page, link = f"{USERS}{mia.pk}/change/", f"{USERS}{mia.pk}/password-link/"

    assert console.get(link).status_code == 405
    assert "/set-password/" in _secret(console.post(link, form_at=page))


@pytest.mark.database
def test_users_cannot_be_deleted(console, olga):
    assert console.get(f"{USERS}{olga.pk}/delete/").status_code == 404


def test_the_list_shows_invited_and_inactive_users(console, a_person):
    add_user(email="ines@acme.example", role=Role.MEMBER, password=None, by=BY)
    off = a_person("off@acme.example")
    console.post(f"{USERS}{off.pk}/change/", {"role": "member"})

    page = text_of(console.get(USERS))

    assert "Invited</span>" in page
    assert "Deactivated</span>" in page
    assert "off@acme.example" not in text_of(console.get(USERS, is_active__exact="1"))


# --- Application tokens ---------------------------------------------------------------------------------


@pytest.mark.database
def test_a_token_is_shown_once_and_works(console):
    response = console.post(f"{TOKENS}add/", {"name": "nightly", "days": "7"})
    value = _secret(response)

    assert Caller(value).get("/sfp/api/auth/salesforce/orgs").status_code == 200
    row = ApplicationToken.objects.get()
    assert (row.name, row.created_by_name) == ("nightly", "olga@acme.example")
    for page in (TOKENS, f"{TOKENS}{row.pk}/change/", f"{TOKENS}{row.pk}/revoke/", AUDIT, "/console/"):
        assert value not in text_of(console.get(page))
    assert not LogEntry.objects.exists()


@pytest.mark.database
def test_a_revoked_token_is_refused(console):
    row, value = tokens.issue(name="nightly", days=7, by=BY)

    asked = console.get(f"{TOKENS}{row.pk}/revoke/")
    assert "Revoke nightly?" in text_of(asked)
    assert Caller(value).get("/sfp/api/auth/salesforce/orgs").status_code == 200

    console.post(f"{TOKENS}{row.pk}/revoke/")
    again = console.post(f"{TOKENS}{row.pk}/revoke/")

    assert Caller(value).get("/sfp/api/auth/salesforce/orgs").json()["code"] == "TOKEN_REVOKED"
    assert again.status_code == 302
    assert "was already revoked" in text_of(console.get(TOKENS))
    assert AuditEvent.objects.get(action="application_token.revoked").actor_name == "olga@acme.example"


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"name": "x" * 101}, {"days": "0"}, {"days": "366"}, {"days": "x"}, {"days": "9" * 400}]
)
def test_an_invalid_token_is_not_created(fields, console):
    response = console.post(f"{TOKENS}add/", {"name": "nightly", "days": "7", **fields})

    assert response.status_code == 200
    assert "errorlist" in text_of(response)
    assert not ApplicationToken.objects.exists()


@pytest.mark.database
def test_tokens_are_filtered_by_their_state(console):
    tokens.issue(name="alive", days=7, by=BY)
    row, _ = tokens.issue(name="gone", days=7, by=BY)
    tokens.revoke(str(row.id), by=BY)

    assert "gone" not in text_of(console.get(TOKENS, state="good"))
    assert "alive" not in text_of(console.get(TOKENS, state="revoked"))


# --- The audit --------------------------------------------------------------------------------------------


def _audit(name: str, org: str = "", **facts):
    by = Principal(kind="application", id="1", name=name, role=Role.APPLICATION)
    return audit.record(audit.Action.ACCESS_TOKEN, audit.Outcome.GRANTED, by=by, target=audit.org_named(org), **facts)


def _csv(response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text_of(response))))


def test_the_audit_is_read_only(console):
    row = _audit("nightly", org="ci@acme.example", note="<b>bold</b>")

    page = text_of(console.get(f"{AUDIT}{row.pk}/change/"))
    assert "ci@acme.example" in page
    assert "&lt;b&gt;bold" in page
    console.post(f"{AUDIT}{row.pk}/change/", {"actor_name": "nobody"}, form_at=AUDIT)
    console.post(f"{AUDIT}{row.pk}/delete/", form_at=AUDIT)
    assert console.get(f"{AUDIT}add/").status_code == 403

    row.refresh_from_db()
    assert row.actor_name == "nightly"


@pytest.mark.database
def test_search_and_filters_of_the_list_hold_for_the_export_too(console):
    _audit("nightly", org="ci@acme.example")
    _audit("release", org="ci@acme.example")
    audit.record(audit.Action.LOGIN, audit.Outcome.REFUSED, by=BY, target=None, code="INVALID_CREDENTIALS")

    by_name = _csv(console.get(f"{AUDIT}export.csv", q="nightly"))
    by_action = _csv(console.get(f"{AUDIT}export.csv", action="access_token.handed_out"))
    everything = _csv(console.get(f"{AUDIT}export.csv"))

    assert [row[6] for row in by_name] == ["actor_name", "nightly"]
    assert [row[6] for row in by_action] == ["actor_name", "release", "nightly"]
    assert len(everything) == 4


@pytest.mark.parametrize(
    ("start", "shown"), [("=", "'="), ("+", "'+"), ("-", "'-"), ("@", "'@"), ("\t", "\\x09"), ("\r", "\\x0d")]
)
def test_no_cell_of_the_export_starts_a_formula(start, shown, console):
    evil = f"{start}HYPERLINK(1)"
    _audit(evil, org=evil, note=evil)

    row = _csv(console.get(f"{AUDIT}export.csv"))[1]

    assert row[6] == f"{shown}HYPERLINK(1)"
    assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("cell", ["", "a", "1", "'=1", " =1", "ci@acme.example"])
def test_a_harmless_cell_stays_as_it_is(cell):
    assert guarded(cell) == cell


def test_the_export_is_a_file(console):
    response = console.get(f"{AUDIT}export.csv")

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="audit-\d{8}-\d{6}\.csv"', response["Content-Disposition"])
    assert console.post(f"{AUDIT}export.csv", form_at=AUDIT).status_code == 405


@pytest.mark.database
def test_the_dashboard_counts_tokens_by_day_and_principal(console):
    for name in ("nightly", "nightly", "<i>evil</i>"):
        _audit(name)

    page = text_of(console.get("/console/"))

    assert "3 in the last 14 days" in page
    assert "&lt;i&gt;evil" in page
    assert "<i>evil" not in page
    assert "style=" not in page

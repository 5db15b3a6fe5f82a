"""The console's audit: what its list finds, in which lines, and where they lead."""

import csv
import io
import re
from datetime import UTC, datetime

import pytest

from authn import audit, tokens
from authn.models import AuditEvent, User
from authn.principals import Principal, system
from authn.roles import Role
from authn.users import add_user, update_user
from tests.support.browser_client import Visitor, text_of

pytestmark = pytest.mark.django_db
BY = system("tests")
AUDIT = "/console/authn/auditevent/"
OLGA = "olga@acme.example"


@pytest.fixture
def console(a_person) -> Visitor:
    return Visitor().sign_in(a_person(OLGA, Role.OWNER))


@pytest.fixture
def dana() -> User:
    return add_user(email="dana@acme.example", role=Role.MEMBER, password=None, by=BY)


def _row(label: str = "", *, name: str = "nightly", address: str = "", at: str = "", code: str = "") -> AuditEvent:
    by = Principal("application", f"id-of-{name}", name, Role.APPLICATION, address, f"request-of-{name}")
    outcome = audit.Outcome.FAILED if code else audit.Outcome.GRANTED
    row = audit.record(audit.Action.ACCESS_TOKEN, outcome, by=by, target=audit.org_named(label), code=code)
    if at:
        AuditEvent.objects.filter(pk=row.pk).update(at=datetime.fromisoformat(at).replace(tzinfo=UTC))
    return row


def _found(console: Visitor, **query: str) -> list[int]:
    """Return the ids of the rows that a list shows."""
    response = console.get(AUDIT, **query)
    assert response.status_code == 200, response
    return [int(key) for key in re.findall(rf"{AUDIT}(\d+)/change/", text_of(response))]


# --- Search ------------------------------------------------------------------------------------------------


@pytest.mark.database
@pytest.mark.parametrize(
    "text", ["dana", "Dana@Acme.example", "ci", "id-of-ci", "request-of-ci", "NO_CREDENTIAL", "no_credential"]
)
def test_a_search_finds_starts_of_names_and_whole_ids_and_codes(text, console):
    wanted = _row("dana@acme.example", name="ci", code="NO_CREDENTIAL")
    _row("other@acme.example", name="nightly")

    assert _found(console, q=text) == [wanted.pk]


@pytest.mark.database
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("203.0.113.7", ["203.0.113.7"]),
        ("203.0.113.0/24", ["203.0.113.77", "203.0.113.7"]),
        ("203.0.113.64/26", ["203.0.113.77"]),
        ("203.0.0.0/16", ["203.0.11.1", "203.0.113.77", "203.0.113.7"]),
        ("2001:db8::/32", ["2001:db8:0:7::1", "2001:db8::1"]),
        ("2001:db8::/48", ["2001:db8:0:7::1", "2001:db8::1"]),
        ("2001:db8::/64", ["2001:db8::1"]),
        ("2001:db8:0:7::/64", ["2001:db8:0:7::1"]),
        ("2001:DB8:0:0::1", ["2001:db8::1"]),
    ],
)
def test_addresses_are_found_by_themselves_and_by_their_network(text, found, console):
    for address in ("203.0.113.7", "203.0.113.77", "203.0.11.1", "2001:db8::1", "2001:db8:0:7::1", ""):
        _row(address=address)

    addresses = dict(AuditEvent.objects.values_list("pk", "address"))
    assert [addresses[key] for key in _found(console, q=text)] == found


@pytest.mark.parametrize("text", ["203.0.0.0/12", "0.0.0.0/0", "2001:db8:0:0:0:0:0:0/40", "::/64", "2001:0:0:5::/64"])
def test_a_network_that_cannot_be_searched_says_which_can(text, console):
    _row(address="203.0.113.7")

    page = text_of(console.get(AUDIT, q=text))

    assert "Search for an IPv4 network of /8, /16, /24 or longer" in page
    assert "/change/" not in page[page.index('id="changelist"') :]


@pytest.mark.database
@pytest.mark.parametrize("query", [{"target": "org:\0"}, {"actor": "\0"}, {"action": "\0"}])
def test_the_export_refuses_unsafe_characters_as_the_list_does(query, console):
    assert console.get(AUDIT, **query).status_code == 400
    assert console.get(f"{AUDIT}export.csv", **query).status_code == 400


# --- Filters -----------------------------------------------------------------------------------------------


@pytest.mark.database
def test_a_range_of_days_includes_both_days(console):
    rows = [_row(at=f"2026-03-0{day}T{time}") for day, time in ((1, "23:59:59"), (2, "00:00"), (3, "23:59:59"))]
    after = _row(at="2026-03-04T00:00")

    assert _found(console, **{"from": "2026-03-02", "to": "2026-03-03"}) == [rows[2].pk, rows[1].pk]
    assert _found(console, **{"from": "2026-03-04"}) == [after.pk]
    assert _found(console, to="2026-03-01") == [rows[0].pk]
    assert len(_csv(console.get(f"{AUDIT}export.csv", **{"from": "2026-03-02", "to": "2026-03-03"}))) == 2


@pytest.mark.parametrize(
    "query",
    [{"from": "yesterday"}, {"to": "2026-02-30"}, {"from": "9999-12-31"}, {"from": "2026-03-02", "to": "2026-03-01"}],
)
def test_a_range_that_cannot_be_read_shows_no_rows_and_says_so(query, console):
    _row()

    assert _found(console, **query) == []
    assert 'class="errornote"' in text_of(console.get(AUDIT, **query))


def test_the_form_of_the_range_keeps_search_and_filters(console):
    page = text_of(console.get(AUDIT, q="ci", outcome="failed"))

    form = page[page.index('class="date-range"') :]
    assert '<input type="hidden" name="q" value="ci">' in form
    assert '<input type="hidden" name="outcome" value="failed">' in form


def test_rows_are_filtered_by_kind_outcome_and_actor(console, dana):
    failed = _row("ci@acme.example", code="CREDENTIAL_EXPIRED")
    [added] = AuditEvent.objects.filter(action="person.added")

    assert _found(console, target_kind="person") == [added.pk]
    assert _found(console, outcome="failed") == [failed.pk]
    assert _found(console, actor_kind="application") == [failed.pk]
    assert _found(console, action="person.added") == [added.pk]


# --- Targets -----------------------------------------------------------------------------------------------


@pytest.mark.database
def test_the_page_of_a_user_links_to_what_was_done_to_the_user_and_what_the_user_did(console, dana):
    update_user(dana, by=BY, role=Role.OWNER)
    by_dana = Principal("user", str(dana.pk), dana.email, Role.OWNER)
    did = audit.record(audit.Action.TOKEN_CREATED, audit.Outcome.GRANTED, by=by_dana, target=None)
    refused = audit.record(
        audit.Action.LOGIN, audit.Outcome.REFUSED, by=BY, target=audit.person_named(dana.email), code="NO"
    )
    page = text_of(console.get(f"/console/authn/user/{dana.pk}/change/"))
    links = dict(re.findall(r'href="/console/authn/auditevent/\?([a-z]+)=([^"]+)"', page))

    done_to = AuditEvent.objects.filter(action__in=("person.added", "person.changed")).order_by("-pk")
    assert links["actor"] == str(dana.pk)
    assert _found(console, target=links["target"].replace("%3A", ":")) == [refused.pk, *(row.pk for row in done_to)]
    assert _found(console, actor=links["actor"]) == [did.pk]


def test_tokens_of_one_name_have_each_an_audit_of_their_own(console):
    first, _ = tokens.issue(name="ci", days=7, by=BY)
    tokens.issue(name="ci", days=7, by=BY)

    [row] = _found(console, target=f"application_token:{first.pk}")

    assert AuditEvent.objects.get(pk=row).target_id == str(first.pk)


@pytest.mark.parametrize("target", ["person:x", "org:99999999999999999999", "org:", "nothing", "pool_instance:1"])
def test_the_audit_of_an_unknown_target_is_empty(target, console):
    _row("ci@acme.example")

    assert _found(console, target=target) == []


def test_a_row_links_to_the_page_of_its_target_while_that_exists(console, dana):
    token, _ = tokens.issue(name="ci", days=7, by=BY)
    user_page, token_page = (
        f"/console/authn/user/{dana.pk}/change/",
        f"/console/authn/applicationtoken/{token.pk}/change/",
    )

    page = text_of(console.get(AUDIT))
    assert f'<a href="{user_page}">dana@acme.example</a>' in page
    assert f'<a href="{token_page}">ci</a>' in page

    token.delete()
    row = AuditEvent.objects.get(action="application_token.created")
    assert token_page not in text_of(console.get(AUDIT))
    assert token_page not in text_of(console.get(f"{AUDIT}{row.pk}/change/"))


# --- Lines -------------------------------------------------------------------------------------------------


@pytest.fixture
def attempt() -> AuditEvent:
    org = audit.org_named("ci@acme.example")
    return audit.record(audit.Action.REFRESH_SENT, audit.Outcome.ATTEMPTED, by=BY, target=org)


@pytest.fixture
def issued(attempt) -> AuditEvent:
    org = audit.org_named("ci@acme.example")
    return audit.record(
        audit.Action.ACCESS_TOKEN, audit.Outcome.GRANTED, by=BY, target=org, token="t", attempt_id=attempt.pk
    )


def _csv(response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text_of(response))))


@pytest.mark.database
def test_a_token_is_one_line_of_the_list_and_of_the_export(console, attempt, issued):
    assert _found(console) == [issued.pk]
    [line] = _csv(console.get(f"{AUDIT}export.csv"))
    attempt.refresh_from_db()
    assert (line["action"], line["target_label"]) == ("access_token.handed_out", "ci@acme.example")
    assert line["attempt_at"] == attempt.at.isoformat(timespec="milliseconds")


def test_the_page_of_a_token_shows_its_attempt(console, attempt, issued):
    page = text_of(console.get(f"{AUDIT}{issued.pk}/change/"))

    assert f'<a href="{AUDIT}{attempt.pk}/change/">' in page
    assert "<code>credential.refresh_sent</code>" in page


def test_an_attempt_leads_to_the_row_that_completes_it(console, attempt, issued):
    page = text_of(console.get(f"{AUDIT}{attempt.pk}/change/"))

    assert f'<a href="{AUDIT}{issued.pk}/change/">audit event {issued.pk}</a>' in page


def test_an_attempt_that_nothing_completed_is_a_line_and_says_so(console, attempt):
    assert _found(console) == [attempt.pk]
    assert "No row completes this attempt" in text_of(console.get(f"{AUDIT}{attempt.pk}/change/"))


def test_attempts_are_rows_of_their_own_for_those_who_ask(console, attempt, issued):
    assert _found(console, attempts="rows") == [issued.pk, attempt.pk]
    assert _found(console, action="credential.refresh_sent") == [attempt.pk]
    assert _found(console, outcome="attempted") == [attempt.pk]


# --- Cost --------------------------------------------------------------------------------------------------


@pytest.mark.database
def test_a_page_of_the_list_counts_and_distinguishes_nothing(console, dana, issued, django_assert_max_num_queries):
    with django_assert_max_num_queries(9) as queries:
        console.get(AUDIT, q="dana", target_kind="person", **{"from": "2026-01-01"})

    on_audit = [query["sql"] for query in queries.captured_queries if "authn_auditevent" in query["sql"]]
    assert len(on_audit) == 2
    assert not [sql for sql in on_audit if "COUNT(" in sql or "DISTINCT" in sql]


def test_the_list_ends_after_its_newest_rows_and_says_so(console, monkeypatch):
    monkeypatch.setattr("authn.console.audit_list.MAX_LINES", 150)
    audit.record_all(audit.event(audit.Action.LOGIN, audit.Outcome.GRANTED, by=BY, target=None) for _ in range(151))

    page = text_of(console.get(AUDIT, p="2"))

    assert len(re.findall(rf"{AUDIT}(\d+)/change/", page)) == 50
    assert "Filter or search for older ones" in page
    assert len(_csv(console.get(f"{AUDIT}export.csv"))) == 151

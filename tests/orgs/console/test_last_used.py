"""The list of orgs in the console says when each was last used."""

import html
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authn.roles import Role
from orgs.credentials.models import Credential
from tests.orgs.factories import ACCESS_TOKEN, a_registered_org
from tests.support.browser_client import Visitor, text_of

pytestmark = pytest.mark.django_db
ORGS = "/console/orgs/salesforceorg/"
NAMES = ("never", "now", "old")


@pytest.fixture
def console(a_person) -> Visitor:
    return Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))


@pytest.fixture
def orgs(owner, application, salesforce) -> None:
    """Three orgs: one was never used, one just now, and one three days ago."""
    for name in NAMES:
        a_registered_org(owner, salesforce, f"{name}@acme.example")
    Credential.objects.update(last_used_at=None)
    for name in ("now", "old"):
        assert application.post(ACCESS_TOKEN, username=f"{name}@acme.example").status_code == 200
    three_days_ago = timezone.now() - timedelta(days=3, hours=2)
    Credential.objects.filter(org__username="old@acme.example").update(last_used_at=three_days_ago)


def _cells(page: str) -> dict[str, str]:
    """Return the cell "Last used" of each row, in the order of the rows."""
    rows = page.split('id="result_list"')[1].split("<tbody>")[1].split("<tr>")[1:]
    names = [re.findall(r">(\w+)@acme\.example<", row)[0] for row in rows]
    cells = [re.findall(r'<td class="field-last_used[^"]*">(.*?)</td>', row, re.DOTALL)[0] for row in rows]
    return dict(zip(names, cells, strict=True))


def test_a_used_org_shows_how_long_ago_with_the_exact_time_as_title(console, orgs):
    cells = _cells(text_of(console.get(ORGS)))

    at = Credential.objects.get(org__username="old@acme.example").last_used_at
    assert at is not None
    assert f'title="{at:%Y-%m-%d %H:%M:%S} UTC"' in cells["old"]
    assert html.unescape(re.sub("<[^>]+>", "", cells["old"])).replace("\xa0", " ") == "3 days ago"
    assert ">just now</time>" in cells["now"]


def test_an_org_that_was_never_used_shows_nothing(console, orgs):
    assert _cells(text_of(console.get(ORGS)))["never"] == "-"


@pytest.mark.database
def test_orgs_are_sorted_by_their_last_use_with_unused_ones_as_the_oldest(console, orgs):
    column = re.findall(r'class="(?:sortable|sorted)[^"]*column-(\w+)', text_of(console.get(ORGS))).index("last_used")

    ascending = list(_cells(text_of(console.get(ORGS, o=str(column + 1)))))
    descending = list(_cells(text_of(console.get(ORGS, o=str(-column - 1)))))

    assert ascending == ["never", "old", "now"]
    assert descending == ["now", "old", "never"]


def test_more_orgs_take_no_more_queries(console, owner, application, salesforce, orgs):
    console.get(ORGS)
    with CaptureQueriesContext(connection) as three:
        console.get(ORGS)
    for number in range(4):
        a_registered_org(owner, salesforce, f"more{number}@acme.example")
        application.post(ACCESS_TOKEN, username=f"more{number}@acme.example")

    with CaptureQueriesContext(connection) as seven:
        page = console.get(ORGS)

    assert "just now" in _cells(text_of(page))["more3"]
    assert len(seven) == len(three)

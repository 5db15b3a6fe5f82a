"""What the console says: errors in plain text, empty lists with the next step, and the focus on what is wrong."""

import re

import pytest

from authn.models import AuditEvent, User
from authn.roles import Role
from orgs.models import SalesforceOrg
from tests.orgs.factories import a_registered_org, an_org
from tests.support.browser_client import Visitor, error_at, text_of

pytestmark = pytest.mark.django_db
ORGS = "/console/orgs/salesforceorg/"
LISTS = {
    "orgs/salesforceorg": ("Registered orgs are listed here", "Register an org"),
    "sandboxes/poolinstance": ("A pool holds orgs that jobs take for a while", "Add an instance"),
    "authn/applicationtoken": ("A CI job calls the API with an application token", "Create a token"),
    "authn/auditevent": ("Nothing was recorded yet.", ""),
}


@pytest.fixture
def console(a_person) -> Visitor:
    return Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))


def _main(page: str) -> str:
    return page.split('id="content"')[1]


def _focused(response) -> list[str]:
    return re.findall(r"<[^>]* autofocus[^>]*>", _main(text_of(response)))


# --- Commands and API calls in messages ----------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_command_in_a_message_is_code_without_backticks(console, owner, salesforce):
    world = a_registered_org(owner, salesforce)
    world.revoke_all()
    org = SalesforceOrg.objects.get()

    console.post(f"{ORGS}{org.pk}/test/", form_at=ORGS)

    shown = text_of(console.get(ORGS)).split('class="messagelist"')[1].split("</ul>")[0]
    assert "<code>sf org login web</code>" in shown
    assert "`" not in shown


@pytest.mark.parametrize("pasted", ["nothing of the kind", "[REDACTED] use another command", '{"result": {}}'])
def test_a_command_in_a_field_error_is_code_without_backticks(pasted, console, salesforce):
    page = text_of(console.post(f"{ORGS}add/", {"auth_url": pasted}))

    error = page.split('id="id_auth_url_error"')[1].split("</ul>")[0]
    assert "<code>sf org auth show-sfdx-auth-url -o &lt;alias&gt; --json</code>" in error
    assert "`" not in error


def test_the_auth_url_of_an_instance_says_which_command_prints_it(console):
    page = text_of(console.post("/console/sandboxes/poolinstance/add/", {"auth_url": '{"result": {}}'}))

    assert "<code>sf org auth show-sfdx-auth-url" in page.split('id="id_auth_url_error"')[1].split("</ul>")[0]


@pytest.mark.django_db(transaction=True)
def test_markup_in_a_message_is_escaped(console, owner, salesforce):
    world = a_registered_org(owner, salesforce)
    world.revoke_all()
    SalesforceOrg.objects.update(username="<b>x</b>@acme.example")

    console.post(f"{ORGS}{SalesforceOrg.objects.get().pk}/test/", form_at=ORGS)

    assert "<b>x" not in text_of(console.get(ORGS))


def test_too_many_orgs_are_refused_with_the_command_that_tests_all(console, owner, salesforce):
    a_registered_org(owner, salesforce)
    first = SalesforceOrg.objects.get()
    SalesforceOrg.objects.bulk_create(
        SalesforceOrg(username=f"{number}@acme.example", instance_url=first.instance_url) for number in range(101)
    )

    fields = {"action": "test_connections", "_selected_action": first.pk, "select_across": "1"}
    console.post(ORGS, fields)

    assert "test all of them with <code>manage.py check_connections</code>." in text_of(console.get(ORGS))


# --- Empty lists ------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", LISTS)
def test_an_empty_list_says_what_it_is_for_and_what_comes_next(part, console):
    AuditEvent.objects.all().delete()
    purpose, step = LISTS[part]

    page = _main(text_of(console.get(f"/console/{part}/")))

    assert purpose in page
    assert "action-counter" not in page
    assert not step or page.count(f">{step}</a>") == 1


@pytest.mark.parametrize("query", [{"q": "nothing of the kind"}, {"is_dev_hub__exact": "1"}])
def test_a_search_without_a_result_leads_back_to_the_whole_list(query, console, owner, salesforce):
    a_registered_org(owner, salesforce)

    page = _main(text_of(console.get(ORGS, **query)))

    assert "Nothing matches this search and these filters." in page
    assert f'<a href="{ORGS}">Show all Salesforce orgs</a>' in page
    assert "action-counter" not in page


# --- Focus ------------------------------------------------------------------------------------------


def test_after_an_error_the_first_wrong_field_is_focused(console, salesforce):
    url = an_org(salesforce).auth_url()

    response = console.post(f"{ORGS}add/", {"auth_url": url, "username": "not a username", "metadata": "{"})

    assert [re.findall(r'name="(\w+)"', tag) for tag in _focused(response)] == [["username"]]


def test_an_error_of_salesforce_focuses_its_field(console, salesforce):
    url = an_org(salesforce).auth_url()

    response = console.post(f"{ORGS}add/", {"auth_url": url, "is_dev_hub": "on"})

    assert "is not a DevHub" in error_at(response, "is_dev_hub")
    assert [re.findall(r'name="(\w+)"', tag) for tag in _focused(response)] == [["is_dev_hub"]]


def test_an_error_above_the_form_is_focused(console):
    olga = User.objects.get()

    response = console.post(f"/console/authn/user/{olga.pk}/change/", {"role": "member", "is_active": "on"})

    (tag,) = _focused(response)
    assert 'role="alert"' in tag


def test_a_group_of_choices_is_focused_once_and_described_by_its_error(console):
    response = console.post("/console/authn/user/add/", {"email": "ines@acme.example", "role": ""})

    (tag,) = _focused(response)
    assert tag.startswith("<fieldset")
    assert 'aria-describedby="id_role_error"' in tag


def test_a_page_without_an_error_focuses_nothing(console):
    assert _focused(console.get(f"{ORGS}add/")) == []


# --- Deletion ---------------------------------------------------------------------------------------


def test_the_deletion_of_the_default_dev_hub_says_that_none_remains(console, owner, salesforce):
    a_registered_org(owner, salesforce, isDevHub=True, isDefault=True)

    page = text_of(console.get(f"{ORGS}{SalesforceOrg.objects.get().pk}/delete/"))

    assert "It is the default DevHub: afterwards there is none." in page

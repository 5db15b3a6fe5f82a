"""An empty desk leads its owner in three steps and tells members whom to ask."""

import re

import pytest

from authn import tokens
from authn.models import ApplicationToken, User
from authn.principals import system
from authn.roles import Role
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Emulator
from tests.sandboxes.factories import an_instance
from tests.support.browser_client import Visitor, text_of, ticked

pytestmark = pytest.mark.django_db
STEPS = ["Register a DevHub", "Create an application token", "Invite a user"]
PAGES = ["/", "/console/"]


@pytest.fixture
def olga(a_person) -> Visitor:
    """The only user of the desk, an owner."""
    return Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))


def _steps(page: str) -> dict[str, str]:
    """Return the steps of a page: the address of each that is to do, and "Done" for the others."""
    if 'class="steps"' not in page:
        return {}
    items = page.split('class="steps"')[1].split("</ol>")[0].split("<li>")[1:]
    titles = [re.findall(r"<strong>(.*?)</strong>", item)[0] for item in items]
    states = [(re.findall(r'href="(.*?)"', item) or re.findall(r">(Done)<", item))[0] for item in items]
    return dict(zip(titles, states, strict=True))


@pytest.mark.parametrize("path", PAGES)
def test_an_empty_desk_shows_its_owner_three_steps_that_lead_to_their_pages(path, olga):
    steps = _steps(text_of(olga.get(path)))

    assert list(steps) == STEPS
    for title, address in steps.items():
        page = olga.get(address)
        assert page.status_code == 200, title
        assert '<button type="submit"' in text_of(page), title


def test_the_first_step_leads_to_a_form_that_registers_the_default_devhub(olga):
    page = olga.get(_steps(text_of(olga.get("/")))[STEPS[0]])

    assert ticked(page, "is_dev_hub")
    assert ticked(page, "is_default")
    plain = olga.get("/console/orgs/salesforceorg/add/")
    assert not ticked(plain, "is_dev_hub")


def test_a_step_is_done_after_its_form_was_sent(olga, salesforce):
    pages = dict(_steps(text_of(olga.get("/"))))
    forms = [
        _devhub(salesforce),
        {"name": "nightly", "days": "30"},
        {"email": "mia@acme.example", "role": "member"},
    ]
    done: list[list[str]] = []
    for title, fields in zip(STEPS, forms, strict=True):
        olga.post(pages[title], fields)
        done.append([name for name, state in _steps(text_of(olga.get("/"))).items() if state == "Done"])

    assert (SalesforceOrg.objects.count(), ApplicationToken.objects.count(), User.objects.count()) == (1, 1, 2)
    assert done == [STEPS[:1], STEPS[:2], []]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("first", STEPS)
def test_each_step_is_ticked_off_by_itself_and_all_disappear_together(first, path, olga, salesforce, a_person):
    do = {
        STEPS[0]: lambda: olga.post("/console/orgs/salesforceorg/add/", _devhub(salesforce)),
        STEPS[1]: lambda: tokens.issue(name="nightly", days=30, by=system("tests")),
        STEPS[2]: lambda: a_person("mia@acme.example"),
    }

    do.pop(first)()
    after_one = _steps(text_of(olga.get(path)))
    for action in do.values():
        action()
    after_all = _steps(text_of(olga.get(path)))

    assert [title for title, state in after_one.items() if state == "Done"] == [first]
    assert list(after_one) == STEPS
    assert after_all == {}


def _devhub(salesforce: Emulator) -> dict[str, str]:
    hub = salesforce.add_org("acme.my.salesforce.com", username="hub@acme.example", is_dev_hub=True)
    return {"auth_url": hub.auth_url(), "is_dev_hub": "on", "is_default": "on"}


def test_an_owner_of_an_empty_desk_is_not_sent_to_an_owner(olga):
    page = text_of(olga.get("/"))

    assert "ask an owner" not in page.lower()
    assert "Open another org" not in page
    assert 'type="search"' not in page


def test_a_member_on_an_empty_desk_is_told_whom_to_ask(a_person):
    a_person("olga@acme.example", Role.OWNER)
    User.objects.filter(pk=a_person("former@acme.example", Role.OWNER).pk).update(is_active=False)
    mia = Visitor().sign_in(a_person("mia@acme.example"))

    page = text_of(mia.get("/"))

    assert "No org is registered at this desk yet. Ask an owner of this desk:" in page
    assert '<a href="mailto:olga@acme.example">olga@acme.example</a>.' in page
    assert "former@acme.example" not in page
    assert _steps(page) == {}


@pytest.mark.parametrize("query", [{}, {"q": "nothing of the kind"}, {"q": "nothing of the kind", "part": "1"}])
def test_a_member_who_finds_no_org_is_told_whom_to_ask(query, a_person, owner, production):
    mia = Visitor().sign_in(a_person("mia@acme.example"))

    assert 'Ask an owner of this desk: <a href="mailto:owner@acme.example">' in text_of(mia.get("/", **query))


def test_an_owner_who_finds_no_org_may_register_it(a_person, production):
    olga = Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))

    page = text_of(olga.get("/", q="nothing of the kind"))

    assert '<a href="/console/orgs/salesforceorg/add/">register it</a>' in page
    assert "ask an owner" not in page.lower()


def test_a_desk_with_a_pool_instance_alone_is_not_empty(a_person, owner, salesforce):
    mia = Visitor().sign_in(a_person("mia@acme.example"))
    empty = text_of(mia.get("/"))
    hub = salesforce.add_org("acme.my.salesforce.com", username="hub@acme.example", is_dev_hub=True)
    an_instance(owner, sfdxAuthUrl=salesforce.add_sandbox(hub, "dev1").auth_url())

    assert "Open another org" not in empty
    assert "Open another org" in text_of(mia.get("/"))

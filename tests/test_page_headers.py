"""What the browser is told with every page: nobody may frame it, and only our own scripts run, each with a nonce."""

import re
from pathlib import Path

import pytest

from authn.roles import Role
from sandboxes.models import PoolInstance
from tests.sandboxes.factories import a_production_org, an_instance
from tests.support.browser_client import Visitor, text_of
from tests.support.routes import console_paths

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parent.parent
CONTINUE = "/sfp/api/auth/continue?action=frontDoorUrl&params=targetOrg:dev1"
FOR_EVERYBODY = ["/login", "/logout", CONTINUE, "/sfp/api/docs", "/metadata", "/no-such-page", "/set-password/1/2"]
FOR_OWNERS = ["/", "/?part=lists", "/open", "/open?name=dev1", "/password", CONTINUE]
OF_THE_CONSOLE = [path for path in console_paths() if "<" not in path]
WITH_OUR_SCRIPTS = ["/", CONTINUE, "/console/", "/sfp/api/docs"]


@pytest.fixture
def at_the_desk(a_person, owner, salesforce):
    salesforce.add_sandbox(a_production_org(owner, salesforce), "dev1")
    an_instance(owner)
    return Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))


def _assert_shut(answer):
    policy = answer["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"


def test_there_are_console_pages_to_look_at():
    assert len(OF_THE_CONSOLE) >= 10


@pytest.mark.parametrize("path", FOR_EVERYBODY)
def test_no_page_for_everybody_can_be_framed(path):
    _assert_shut(Visitor().get(path))


def test_no_page_for_people_can_be_framed(at_the_desk, each):
    for path in [*FOR_OWNERS, *OF_THE_CONSOLE]:
        with each(path):
            _assert_shut(at_the_desk.get(path))


def test_no_page_about_a_wrong_method_can_be_framed(at_the_desk):
    submit_label = f"/console/sandboxes/poolinstance/{PoolInstance.objects.get().pk}/make-available/"
    answers = at_the_desk.get(submit_label), Visitor().client.post("/metadata")

    assert [answer.status_code for answer in answers] == [405, 403], "the latter for want of a CSRF token"
    for answer in answers:
        assert answer["X-Content-Type-Options"] == "nosniff"
        _assert_shut(answer)


def test_no_page_about_one_row_can_be_framed(at_the_desk):
    for part in ("orgs/salesforceorg", "sandboxes/poolinstance", "authn/user", "authn/auditevent"):
        page = text_of(at_the_desk.get(f"/console/{part}/"))
        address = re.search(rf'href="(/console/{part}/[^"/]+/change/)', page)
        assert address, part

        answer = at_the_desk.get(address[1])

        assert answer.status_code == 200
        _assert_shut(answer)


def test_our_scripts_run_by_a_nonce_that_is_new_each_time(at_the_desk, each):
    for path in WITH_OUR_SCRIPTS:
        with each(path):
            seen = []
            for _ in range(2):
                answer = at_the_desk.get(path)
                nonces = set(re.findall(r'<script[^>]+nonce="([^"]*)"', text_of(answer)))
                assert len(nonces) == 1
                seen.append(nonces.pop())
                assert re.search(rf"script-src [^;]*'nonce-{re.escape(seen[-1])}'", answer["Content-Security-Policy"])

            assert len(set(seen)) == 2


def test_the_page_that_leads_on_has_a_nonce(at_the_desk):
    answer = at_the_desk.post(CONTINUE)

    nonce = re.search(r'<script[^>]+nonce="([^"]+)"', text_of(answer))
    assert nonce, text_of(answer)
    assert f"'nonce-{nonce[1]}'" in answer["Content-Security-Policy"]


def test_each_script_in_our_templates_has_a_nonce():
    scripts = [
        tag for file in (ROOT / "templates").rglob("*.html") for tag in re.findall("<script[^>]*>", file.read_text())
    ]

    assert len(scripts) >= 6
    assert [tag for tag in scripts if 'nonce="{{ CSP_NONCE }}"' not in tag] == []

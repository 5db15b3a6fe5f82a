"""Headers of every page: no framing, and only our own scripts, each with a nonce."""

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
PUBLIC_PATHS = ["/login", "/logout", CONTINUE, "/sfp/api/docs", "/metadata", "/no-such-page", "/set-password/1/2"]
OWNER_PATHS = ["/", "/?part=lists", "/open", "/open?name=dev1", "/password", CONTINUE]
CONSOLE_PATHS = [path for path in console_paths() if "<" not in path]
WITH_OUR_SCRIPTS = ["/", CONTINUE, "/console/", "/sfp/api/docs"]


@pytest.fixture
def visitor(a_person, owner, salesforce):
    salesforce.add_sandbox(a_production_org(owner, salesforce), "dev1")
    an_instance(owner)
    return Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))


def _assert_not_framed(response):
    policy = response["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response["X-Frame-Options"] == "DENY"


def test_there_are_console_pages():
    assert len(CONSOLE_PATHS) >= 10


@pytest.mark.parametrize("path", PUBLIC_PATHS)
def test_no_public_page_can_be_framed(path):
    _assert_not_framed(Visitor().get(path))


def test_no_page_for_users_can_be_framed(visitor, each):
    for path in [*OWNER_PATHS, *CONSOLE_PATHS]:
        with each(path):
            _assert_not_framed(visitor.get(path))


def test_no_page_about_a_wrong_method_can_be_framed(visitor):
    action = f"/console/sandboxes/poolinstance/{PoolInstance.objects.get().pk}/make-available/"
    responses = visitor.get(action), Visitor().client.post("/metadata")

    assert [response.status_code for response in responses] == [405, 403], "the latter without a CSRF token"
    for response in responses:
        assert response["X-Content-Type-Options"] == "nosniff"
        _assert_not_framed(response)


def test_no_page_about_one_row_can_be_framed(visitor):
    for part in ("orgs/salesforceorg", "sandboxes/poolinstance", "authn/user", "authn/auditevent"):
        page = text_of(visitor.get(f"/console/{part}/"))
        address = re.search(rf'href="(/console/{part}/[^"/]+/change/)', page)
        assert address, part

        response = visitor.get(address[1])

        assert response.status_code == 200
        _assert_not_framed(response)


def test_scripts_have_a_new_nonce_in_each_response(visitor, each):
    for path in WITH_OUR_SCRIPTS:
        with each(path):
            seen = []
            for _ in range(2):
                response = visitor.get(path)
                nonces = set(re.findall(r'<script[^>]+nonce="([^"]*)"', text_of(response)))
                assert len(nonces) == 1
                seen.append(nonces.pop())
                assert re.search(rf"script-src [^;]*'nonce-{re.escape(seen[-1])}'", response["Content-Security-Policy"])

            assert len(set(seen)) == 2


def test_the_redirecting_page_has_a_nonce(visitor):
    response = visitor.post(CONTINUE)

    nonce = re.search(r'<script[^>]+nonce="([^"]+)"', text_of(response))
    assert nonce, text_of(response)
    assert f"'nonce-{nonce[1]}'" in response["Content-Security-Policy"]


def test_each_script_in_our_templates_has_a_nonce():
    scripts = [
        tag for file in (ROOT / "templates").rglob("*.html") for tag in re.findall("<script[^>]*>", file.read_text())
    ]

    assert len(scripts) >= 6
    assert [tag for tag in scripts if 'nonce="{{ CSP_NONCE }}"' not in tag] == []

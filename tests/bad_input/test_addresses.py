"""Unknown addresses, methods, bearer tokens and hosts."""

import re

import pytest

from authn.audit_actions import Action
from authn.models import AuditEvent
from tests.bad_input.assertions import is_clear
from tests.orgs.factories import ORGS
from tests.support.routes import operations

pytestmark = pytest.mark.django_db


def test_an_unknown_address_is_404(owner, each):
    for path in ["/sfp/api/nothing", f"{ORGS}/", "/sfp/api/auth/salesforce/", "/%00", "/\u2028", "/a" * 900]:
        with each(path[:20]):
            response = owner.get(path)

            is_clear(response, 404)


PAGES = ("/sfp/api/auth/continue", "/sfp/api/schema", "/sfp/api/docs")
API = sorted({path for _, path in operations() if path.startswith("/sfp/api/")} - set(PAGES))
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW")


@pytest.mark.parametrize("path", API)
def test_a_method_that_a_route_does_not_have_is_405_for_every_caller(path, anonymous, member, application, owner, each):
    supported = {method for method, of in operations() if of == path}
    supported |= {"HEAD"} if "GET" in supported else set()
    for method in sorted(set(METHODS) - supported):
        for name, caller in {"no one": anonymous, "member": member, "token": application, "owner": owner}.items():
            with each(f"{method} by {name}"):
                response = caller.send(method, re.sub("<[^>]*>", "x", path))

                assert response.status_code == 405
                assert method == "HEAD" or response.json()["code"] == "METHOD_NOT_ALLOWED"
                assert set(response.headers["Allow"].split(", ")) == supported | {"OPTIONS"}
                assert not AuditEvent.objects.filter(action=Action.REQUEST).exists()


@pytest.mark.database
def test_an_invalid_bearer_token_is_401(anonymous, each):
    for bearer in ["", " ", "x" * 5000, "a.b.c", "fdt_", "\x00", "é", "fdt_" + "0" * 42]:
        with each(bearer[:10]):
            response = anonymous.send("GET", ORGS, headers={"Authorization": f"Bearer {bearer}"})

            is_clear(response, 401)


def test_an_unknown_host_header_is_400(anonymous):
    response = anonymous.send("GET", ORGS, headers={"Host": "evil.example"})

    is_clear(response, 400)

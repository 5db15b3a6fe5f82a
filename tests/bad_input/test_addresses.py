"""Addresses, methods, bearers and hosts that there are not."""

import pytest

from tests.bad_input.assertions import is_clear
from tests.orgs.factories import ORG, ORGS, REGISTER

pytestmark = pytest.mark.django_db
LOGIN = "/sfp/api/auth/admin/login"


def test_an_unknown_address(owner, each):
    for path in ["/sfp/api/nothing", f"{ORGS}/", "/sfp/api/auth/salesforce/", "/%00", "/\u2028", "/a" * 900]:
        with each(path[:20]):
            answer = owner.get(path)

            is_clear(answer, 404)


@pytest.mark.parametrize(("method", "path"), [("PUT", ORG), ("POST", ORGS), ("GET", REGISTER), ("DELETE", LOGIN)])
def test_a_method_that_a_route_has_not(method, path, owner):
    answer = owner.send(method, path)

    is_clear(answer, 405)
    assert answer.headers["Allow"]


@pytest.mark.database
def test_a_bearer_that_is_none(anonymous, each):
    for bearer in ["", " ", "x" * 5000, "a.b.c", "fdt_", "\x00", "é", "fdt_" + "0" * 42]:
        with each(bearer[:10]):
            answer = anonymous.send("GET", ORGS, headers={"Authorization": f"Bearer {bearer}"})

            is_clear(answer, 401)


def test_a_foreign_host_header(anonymous):
    answer = anonymous.send("GET", ORGS, headers={"Host": "evil.example"})

    is_clear(answer, 400)

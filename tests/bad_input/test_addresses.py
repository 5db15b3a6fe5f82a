"""Unknown addresses, methods, bearer tokens and hosts."""

import pytest

from tests.bad_input.assertions import is_clear
from tests.orgs.factories import ORG, ORGS, REGISTER

pytestmark = pytest.mark.django_db
LOGIN = "/sfp/api/auth/admin/login"


def test_an_unknown_address_is_404(owner, each):
    for path in ["/sfp/api/nothing", f"{ORGS}/", "/sfp/api/auth/salesforce/", "/%00", "/\u2028", "/a" * 900]:
        with each(path[:20]):
            response = owner.get(path)

            is_clear(response, 404)


@pytest.mark.parametrize(("method", "path"), [("PUT", ORG), ("POST", ORGS), ("GET", REGISTER), ("DELETE", LOGIN)])
def test_an_unsupported_method_is_405(method, path, owner):
    response = owner.send(method, path)

    is_clear(response, 405)
    assert response.headers["Allow"]


@pytest.mark.database
def test_an_invalid_bearer_token_is_401(anonymous, each):
    for bearer in ["", " ", "x" * 5000, "a.b.c", "fdt_", "\x00", "é", "fdt_" + "0" * 42]:
        with each(bearer[:10]):
            response = anonymous.send("GET", ORGS, headers={"Authorization": f"Bearer {bearer}"})

            is_clear(response, 401)


def test_an_unknown_host_header_is_400(anonymous):
    response = anonymous.send("GET", ORGS, headers={"Host": "evil.example"})

    is_clear(response, 400)

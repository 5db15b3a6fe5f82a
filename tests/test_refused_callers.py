"""A missing, malformed, expired or revoked credential gets 401 wherever an anonymous caller does.

The code says why. An open route ignores the bearer token.
"""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from authn import tokens
from authn.models import ApplicationToken, User
from authn.principals import system
from authn.roles import Role
from authn.users import update_user
from tests.role_table import OPEN, TABLE, Cell, expect, label, role_world, send
from tests.support.api_client import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def the_org(owner, salesforce):
    return role_world(owner, salesforce)


def _anonymous(_: Caller) -> tuple[Caller, str]:
    return Caller(), "NOT_AUTHENTICATED"


def _malformed(_: Caller) -> tuple[Caller, str]:
    return Caller("fdt_" + "x" * 42), "TOKEN_INVALID"


def _foreign_jwt(owner: Caller) -> tuple[Caller, str]:
    return Caller(owner.bearer[:-4] + "AAAA"), "TOKEN_INVALID"


def _expired_user(owner: Caller) -> tuple[Caller, str]:
    return owner, "TOKEN_EXPIRED"


def _revoked_user(owner: Caller) -> tuple[Caller, str]:
    User.objects.get(email="owner@acme.example").login_families.update(revoked_at=timezone.now())
    return owner, "TOKEN_REVOKED"


def _inactive_user(owner: Caller) -> tuple[Caller, str]:
    User.objects.create_user("second@acme.example", None, role=Role.OWNER)
    update_user(User.objects.get(email="owner@acme.example"), by=system("tests"), is_active=False)
    return owner, "TOKEN_INVALID"


def _expired_application(_: Caller) -> tuple[Caller, str]:
    row, value = tokens.issue(name="old", days=1, by=system("tests"))
    ApplicationToken.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    return Caller(value), "TOKEN_EXPIRED"


def _revoked_application(_: Caller) -> tuple[Caller, str]:
    row, value = tokens.issue(name="old", days=1, by=system("tests"))
    tokens.revoke(str(row.id), by=system("tests"))
    return Caller(value), "TOKEN_REVOKED"


REFUSED_CALLERS = {
    _anonymous: 0,
    _malformed: 0,
    _foreign_jwt: 0,
    _expired_user: 61,
    _revoked_user: 0,
    _inactive_user: 0,
    _expired_application: 0,
    _revoked_application: 0,
}
refused_callers = pytest.mark.parametrize(
    ("make", "minutes"), REFUSED_CALLERS.items(), ids=[case.__name__.strip("_") for case in REFUSED_CALLERS]
)


@refused_callers
def test_a_caller_without_a_valid_credential_is_401(make, minutes, owner, salesforce, the_org, each):
    caller, code = make(owner)
    salesforce.reset_calls()

    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        for request in (row[:4] for row in TABLE):
            with each(label(request)):
                response = send(caller, salesforce, request)

                expect(response, Cell(401, "" if request[0] == "HEAD" else code))
                assert response.headers["WWW-Authenticate"] == 'Bearer realm="frontdesk"'
                assert salesforce.calls == []


@refused_callers
def test_a_public_route_ignores_the_bearer_token(make, minutes, owner, salesforce, each):
    caller, _ = make(owner)

    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        for *request, cell in OPEN:
            with each(label(request)):
                expect(send(caller, salesforce, request), cell)

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


def _expired_person(owner: Caller) -> tuple[Caller, str]:
    return owner, "TOKEN_EXPIRED"


def _revoked_person(owner: Caller) -> tuple[Caller, str]:
    User.objects.get(email="owner@acme.example").login_families.update(revoked_at=timezone.now())
    return owner, "TOKEN_REVOKED"


def _inactive_person(owner: Caller) -> tuple[Caller, str]:
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


NOBODIES = {
    _anonymous: 0,
    _malformed: 0,
    _foreign_jwt: 0,
    _expired_person: 61,
    _revoked_person: 0,
    _inactive_person: 0,
    _expired_application: 0,
    _revoked_application: 0,
}
nobodies = pytest.mark.parametrize(
    ("nobody", "minutes"), NOBODIES.items(), ids=[make.__name__.strip("_") for make in NOBODIES]
)


@nobodies
def test_nobody_and_nobody_any_more(nobody, minutes, owner, salesforce, the_org, each):
    caller, code = nobody(owner)
    salesforce.reset_calls()

    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        for request in (row[:4] for row in TABLE):
            with each(label(request)):
                answer = send(caller, salesforce, request)

                expect(answer, Cell(401, "" if request[0] == "HEAD" else code))
                assert answer.headers["WWW-Authenticate"] == 'Bearer realm="frontdesk"'
                assert salesforce.calls == []


@nobodies
def test_an_open_route_looks_at_no_bearer(nobody, minutes, owner, salesforce, each):
    caller, _ = nobody(owner)

    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        for *request, cell in OPEN:
            with each(label(request)):
                expect(send(caller, salesforce, request), cell)

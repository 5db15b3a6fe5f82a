"""Roles and the last owner."""

import pytest

from authn.errors import LastOwner
from authn.models import User
from authn.principals import system
from authn.roles import Role
from authn.users import update_user

pytestmark = [pytest.mark.database, pytest.mark.django_db]
BY = system("tests")


@pytest.fixture
def olga(a_person) -> User:
    return a_person("olga@acme.example", Role.OWNER)


@pytest.mark.parametrize("change", [{"role": Role.MEMBER}, {"is_active": False}])
def test_the_last_owner_stays(olga, a_person, change):
    a_person("max@acme.example", Role.MEMBER)

    with pytest.raises(LastOwner):
        update_user(olga, by=BY, **change)

    olga.refresh_from_db()
    assert (olga.role, olga.is_active) == (Role.OWNER, True)


def test_an_inactive_owner_does_not_count(olga, a_person):
    second = a_person("second@acme.example", Role.OWNER)
    update_user(second, by=BY, is_active=False)

    with pytest.raises(LastOwner):
        update_user(olga, by=BY, role=Role.MEMBER)


def test_one_of_two_owners_can_be_demoted(olga, a_person):
    a_person("second@acme.example", Role.OWNER)

    assert update_user(olga, by=BY, role=Role.MEMBER).role == Role.MEMBER


def test_passwords_are_hashed_with_argon2():
    from config import settings

    assert settings.PASSWORD_HASHERS == ["authn.password_hashing.BoundedArgon2PasswordHasher"]

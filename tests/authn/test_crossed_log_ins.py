"""A log-in that is concurrent with a password change or a deactivation does not outlive it."""

import pytest
from django.contrib.auth import SESSION_KEY, authenticate
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client

from authn import login
from authn.models import AuditEvent, LoginFamily, User
from authn.principals import system
from authn.users import set_password, update_user
from tests.conftest import PASSWORD
from tests.support.api_client import Caller

pytestmark = [pytest.mark.database, pytest.mark.django_db]
EMAIL = "ursula@acme.example"


class RenewedHasher(MD5PasswordHasher):
    """Finds each stored hash too weak, so that a log-in stores another one."""

    algorithm = "renewed"

    def must_update(self, encoded: str) -> bool:
        return True


@pytest.fixture
def ursula(a_person) -> User:
    return a_person(EMAIL)


def _with_another_password(user):
    set_password(user, "another-horse-battery", by=system("tests"), how="changed")


def _deactivated(user):
    update_user(user, by=system("tests"), is_active=False)


def _deactivated_and_activated(user):
    update_user(user, by=system("tests"), is_active=False)
    update_user(user, by=system("tests"), is_active=True)


def _rest():
    return Caller().post("/sfp/api/auth/admin/login", {"email": EMAIL, "password": PASSWORD}).status_code


def _servicestack():
    wish = {"UserName": EMAIL, "Password": PASSWORD}
    return Client().post("/auth/credentials", wish, headers={"Accept": "application/json"}).status_code


def _browser():
    client = Client()
    status = client.post("/login", {"email": EMAIL, "password": PASSWORD}).status_code
    assert (SESSION_KEY in client.session) == (status == 302)
    return status


ENDPOINTS = {_rest: (200, 401), _servicestack: (200, 401), _browser: (302, 200)}


@pytest.fixture
def between(monkeypatch):
    """Run a change after the password check and before anything is stored."""

    def run(change):
        def check(*args, **named):
            user = authenticate(*args, **named)
            assert user is not None
            change(User.objects.get(pk=user.pk))
            return user

        monkeypatch.setattr(login, "authenticate", check)

    return run


@pytest.mark.parametrize("change", [_with_another_password, _deactivated, _deactivated_and_activated])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_change_after_the_check_refuses_the_log_in(endpoint, change, ursula, between):
    between(change)

    assert endpoint() == ENDPOINTS[endpoint][1]

    assert not LoginFamily.objects.filter(revoked_at=None).exists()
    assert not AuditEvent.objects.filter(action="person.login", outcome="granted").exists()
    assert AuditEvent.objects.get(action="person.login", outcome="refused").actor_name == EMAIL


@pytest.mark.parametrize("change", [_with_another_password, _deactivated, _deactivated_and_activated])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_change_after_the_log_in_ends_it(endpoint, change, ursula):
    assert endpoint() == ENDPOINTS[endpoint][0]

    change(ursula)

    assert LoginFamily.objects.exists()
    assert not LoginFamily.objects.filter(revoked_at=None).exists()


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_hash_upgraded_by_the_check_is_not_a_change(endpoint, ursula, settings):
    before = ursula.password
    settings.PASSWORD_HASHERS = [f"{__name__}.RenewedHasher", *settings.PASSWORD_HASHERS]

    assert endpoint() == ENDPOINTS[endpoint][0]

    ursula.refresh_from_db()
    assert ursula.password != before

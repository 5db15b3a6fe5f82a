"""Shared fixtures: callers of each role and an emulated Salesforce."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import responses
from django.db import connection
from django.db.models.signals import post_migrate
from rest_framework_simplejwt.tokens import AccessToken

from authn import audit, tokens
from authn.browser.login import new_family
from authn.models import User
from authn.principals import system
from authn.roles import Role
from config import health
from orgs.credentials import concurrency
from orgs.credentials.hash_key import new_key, token_hash_key
from orgs.credentials.models import DeskKey
from orgs.salesforce.emulator import Emulator
from tests.support.api_client import Caller
from tests.support.undo import Each, undone

PASSWORD = "correct-horse-battery-staple"


@pytest.fixture
def salesforce() -> Iterator[Emulator]:
    """An emulated Salesforce that serves every HTTPS request of this process."""
    world = Emulator()
    concurrency._client.cache_clear()  # Cached API versions belong to another test's orgs.
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        world.install(mock)
        yield world


@pytest.fixture
def each(subtests: pytest.Subtests, salesforce: Emulator) -> Each:
    """Give `with each(name):`, a case of its own over the world of the test, undone after it."""

    @contextmanager
    def case(name: str) -> Iterator[None]:
        with subtests.test(name), undone(salesforce):
            yield

    return case


@pytest.fixture
def a_person(db: None) -> Callable[..., User]:
    """Return a function that creates users."""

    def make(email: str, role: Role = Role.MEMBER, password: str = PASSWORD) -> User:
        return User.objects.create_user(email, password, role=role)

    return make


@pytest.fixture
def anonymous(db: None) -> Caller:
    """A caller without a bearer token."""
    return Caller()


@pytest.fixture
def owner(a_person: Any) -> Caller:
    """A caller with the access token of an owner."""
    return Caller(_bearer_of(a_person("owner@acme.example", Role.OWNER)))


@pytest.fixture
def member(a_person: Any) -> Caller:
    """A caller with the access token of a member."""
    return Caller(_bearer_of(a_person("member@acme.example")))


@pytest.fixture
def application(db: None) -> Caller:
    """A caller with an application token."""
    return Caller(tokens.issue(name="ci", days=30, by=system("tests"))[1])


@pytest.fixture(autouse=True)
def _reset_process_state() -> None:
    """Reset what this process remembers of a database failure in another test."""
    audit.gate.reset()
    audit.forget_written()
    health.forget()


def _restore_hash_key(**about: Any) -> None:
    """Store the desk's hash key again after the flush that ends a test with real transactions, as a migration does."""
    if "plan" in about or DeskKey._meta.db_table not in connection.introspection.table_names():
        return  # Migrations do it themselves.
    name, value = new_key()
    DeskKey.objects.get_or_create(name=name, defaults={"sealed_key": value})
    token_hash_key.cache_clear()


post_migrate.connect(_restore_hash_key)


def _bearer_of(user: User) -> str:
    """Start a log-in as the log-in route does, without its password, its lockout and its audit."""
    family = new_family(user)
    token = AccessToken()
    token["sub"], token["family"] = str(user.pk), str(family.pk)
    return str(token)

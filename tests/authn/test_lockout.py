"""Lockout after wrong passwords: per e-mail address and network."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from authn.models import AuditEvent, LoginAttempts, User
from authn.web.client_address import address_block
from tests.authn.counts import failures, let_pass
from tests.authn.servicestack.wire import Wire
from tests.conftest import PASSWORD
from tests.support.api_client import ApiResponse, Caller
from tests.support.browser_client import Visitor, text_of

pytestmark = pytest.mark.django_db
LOGIN = "/sfp/api/auth/admin/login"
CALLBACK = "/sfp/api/auth/callback"
EMAIL = "mia@acme.example"


@pytest.fixture
def mia(a_person, settings) -> User:
    settings.TRUSTED_PROXY_COUNT = 1
    return a_person(EMAIL)


def _try(password: str = "wrong", address: str = "203.0.113.7", email: str = EMAIL) -> ApiResponse:
    body = {"email": email, "password": password}
    return Caller().send("POST", LOGIN, body, headers={"X-Forwarded-For": address})


def _statuses(*tries: ApiResponse) -> list[int]:
    return [response.status_code for response in tries]


@pytest.mark.database
def test_a_lock_applies_only_to_the_network_of_the_attempts(mia):
    for _ in range(6):
        _try(address="198.51.100.66")

    assert _statuses(_try(PASSWORD, "198.51.100.67"), _try(PASSWORD, "203.0.113.7")) == [429, 200]


@pytest.mark.database
@pytest.mark.parametrize(
    ("one", "other", "locked"),
    [
        ("203.0.113.7", "203.0.113.250", True),
        ("203.0.113.7", "203.0.114.7", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.8", True),
    ],
)
def test_a_user_is_locked_per_ipv4_24_or_ipv6_64(one, other, locked, mia):
    for _ in range(5):
        _try(address=one)

    assert _try(PASSWORD, other).status_code == (429 if locked else 200)


@pytest.mark.database
def test_fifty_wrong_passwords_from_any_networks_lock_the_user_everywhere(mia):
    for number in range(50):
        assert _try(address=f"10.{number}.0.1").status_code == 401

    locked = _try(PASSWORD, "192.0.2.1")

    assert (locked.status_code, locked.json()["code"]) == (429, "LOGIN_LOCKED")
    assert 0 < int(locked.headers["Retry-After"]) <= 15 * 60 + 1
    let_pass(timedelta(minutes=15))
    assert _try(PASSWORD, "192.0.2.1").status_code == 200


@pytest.mark.database
@pytest.mark.parametrize(
    ("strangers", "neighbour", "owner"),
    [
        ([f"2001:db8:1:{number:x}::1" for number in range(10)], "2001:db8:1:ff::1", "2001:db8:2::1"),
        ([f"203.0.{number}.7" for number in range(10)], "203.0.200.7", "203.1.0.7"),
    ],
    ids=["a /48", "a /16"],
)
def test_one_network_cannot_lock_a_user_everywhere(strangers, neighbour, owner, mia):
    statuses = Counter(_try(address=address).status_code for _ in range(5) for address in strangers)

    assert statuses == {401: 15, 429: 35}
    assert failures("") == [15]
    assert _statuses(_try(PASSWORD, neighbour), _try(PASSWORD, owner)) == [429, 200]


@pytest.mark.database
def test_an_operator_unlocks_a_user(mia):
    for number in range(50):
        _try(address=f"10.{number}.0.1")
    assert _try(PASSWORD).status_code == 429

    call_command("unlock", "Mia@Acme.example")

    assert not LoginAttempts.objects.exists()
    assert _try(PASSWORD).status_code == 200
    event = AuditEvent.objects.get(action="person.changed")
    assert (event.actor_name, event.target_label, event.details) == ("unlock", EMAIL, {"lock": "lifted"})


@pytest.mark.database
def test_an_unknown_user_cannot_be_unlocked(db):
    with pytest.raises(CommandError, match="No user has this e-mail"):
        call_command("unlock", "nemo@acme.example")

    assert not AuditEvent.objects.exists()


@pytest.mark.database
def test_a_correct_password_resets_only_the_failures_of_its_network(mia):
    for number in range(3):
        _try(address="203.0.113.7")
        _try(address=f"10.0.{number}.1")

    assert _try(PASSWORD, "203.0.113.7").status_code == 200

    assert failures("203.0.113.0/24") == [0]
    assert failures("10.0.1.0/24") == [1]
    assert failures("") == [3]


@pytest.mark.database
def test_failures_expire_after_15_minutes(mia):
    for _ in range(4):
        _try()
    let_pass(timedelta(minutes=15))

    assert _statuses(_try(), _try(PASSWORD)) == [401, 200]


@pytest.mark.database
def test_attempts_during_a_lock_do_not_extend_it(mia):
    for _ in range(5):
        _try()
    let_pass(timedelta(minutes=14))
    _try()

    assert int(_try(PASSWORD).headers["Retry-After"]) <= 61


@pytest.mark.database
def test_a_user_is_locked_without_a_client_address_too(a_person):
    a_person(EMAIL)
    body = {"email": EMAIL, "password": "wrong"}

    statuses = [Client(REMOTE_ADDR="").post(LOGIN, body, "application/json").status_code for _ in range(6)]

    assert statuses == [401] * 5 + [429]


@pytest.mark.database
def test_wrong_current_passwords_count_toward_the_same_lock(mia):
    visitor = Visitor().sign_in(mia)
    for _ in range(5):
        visitor.post("/password", {"current": "wrong", "new": "x" * 20, "again": "x" * 20})

    assert "locked for 15 minutes" in text_of(Visitor().post("/login", {"email": EMAIL, "password": PASSWORD}))
    assert _try(PASSWORD, "127.0.0.1").status_code == 429
    assert Wire().post("/auth/credentials", {"UserName": EMAIL, "Password": PASSWORD}).status == 429


@pytest.mark.parametrize(
    ("address", "prefix", "block"),
    [
        ("203.0.113.7", 32, "203.0.113.7/32"),
        ("203.0.113.7", 24, "203.0.113.0/24"),
        ("::ffff:203.0.113.7", 32, "203.0.113.7/32"),
        ("2001:db8:1:2:3:4:5:6", 32, "2001:db8:1:2::/64"),
        ("::1", 24, "::/64"),
        ("", 24, "unknown"),
    ],
)
def test_a_client_address_is_reduced_to_its_network(address, prefix, block):
    assert address_block(address, ipv4_prefix=prefix) == block

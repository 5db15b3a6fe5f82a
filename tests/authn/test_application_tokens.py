"""/sfp/api/application-tokens, and how application tokens are stored."""

import re
import zlib
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from authn.models import ApplicationToken, AuditEvent
from tests.support.api_client import Caller

pytestmark = pytest.mark.django_db
TOKENS = "/sfp/api/application-tokens"
ORGS = "/sfp/api/auth/salesforce/orgs"


@pytest.fixture
def made(owner):
    response = owner.post(TOKENS, {"name": "nightly", "expiresIn": 7})
    assert response.status_code == 201, response
    return response.json()


@pytest.mark.database
def test_a_token_is_shown_once_and_works(owner, made):
    assert set(made) == {"id", "name", "token", "prefix", "createdAt", "expiresAt"}
    assert Caller(made["token"]).get(ORGS).status_code == 200
    assert made["token"] not in owner.get(TOKENS).text


@pytest.mark.database
def test_the_list_shows_the_creator_and_last_use_of_a_token(owner, made):
    before = owner.get(TOKENS).json()[0]
    Caller(made["token"]).get(ORGS)
    after = owner.get(TOKENS).json()[0]

    assert before["createdBy"] == "owner@acme.example"
    assert "lastUsedAt" not in before
    assert after["lastUsedAt"]
    assert after["prefix"] == made["token"][:10]


def test_a_token_has_the_format_that_secret_scanners_expect(made):
    assert re.fullmatch(r"fdt_[0-9A-Za-z]{42}", made["token"])
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    checksum = 0
    for character in made["token"][-6:]:
        checksum = checksum * 62 + digits.index(character)
    assert checksum == zlib.crc32(made["token"][:-6].encode())


@pytest.mark.database
def test_only_a_hash_is_stored(made):
    row = ApplicationToken.objects.get()

    assert made["token"] not in str(vars(row))
    assert len(row.digest) == 64


@pytest.mark.database
def test_a_mistyped_token_is_refused_without_a_query(made, django_assert_num_queries):
    mistyped = made["token"][:-1] + ("a" if made["token"][-1] != "a" else "b")

    with django_assert_num_queries(0):
        response = Caller(mistyped).get(ORGS)

    assert response.refusal == (401, "TOKEN_INVALID")


@pytest.mark.database
def test_a_token_expires(made):
    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1)):
        response = Caller(made["token"]).get(ORGS)

    assert response.json()["code"] == "TOKEN_EXPIRED"


def test_a_token_is_valid_for_30_days_by_default(owner):
    row = owner.post(TOKENS, {"name": "x"}).json()

    days = (ApplicationToken.objects.get(pk=row["id"]).expires_at - timezone.now()).days
    assert days == 29


@pytest.mark.database
@pytest.mark.parametrize("what", ["id", "token"])
def test_a_revoked_token_ends_at_once(owner, made, what):
    response = owner.delete(f"{TOKENS}/{made[what]}")

    assert response.status_code == 200
    assert response.content == b""
    assert Caller(made["token"]).get(ORGS).json()["code"] == "TOKEN_REVOKED"
    assert owner.delete(f"{TOKENS}/{made[what]}").status_code == 404


@pytest.mark.database
@pytest.mark.parametrize("identifier", ["x", "00000000-0000-0000-0000-000000000000", "fdt_" + "0" * 42, "%00"])
def test_an_unknown_token_is_not_found(owner, identifier):
    response = owner.delete(f"{TOKENS}/{identifier}")

    assert response.status_code == 404
    assert response.json()["code"] == "TOKEN_NOT_FOUND"


def test_a_token_in_the_path_is_neither_logged_nor_returned(owner, made, capfd, caplog):
    owner.delete(f"{TOKENS}/{made['token']}")
    again = owner.delete(f"{TOKENS}/{made['token']}")

    written = capfd.readouterr()
    assert made["token"] not in again.text + written.out + written.err
    assert not AuditEvent.objects.filter(details__icontains=made["token"]).exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 101},
        {"name": 5},
        {"name": "x", "expiresIn": 0},
        {"name": "x", "expiresIn": 366},
        {"name": "x", "expiresIn": "soon"},
        {"name": "x", "expiresIn": None},
    ],
)
def test_an_invalid_token_request_is_refused(owner, body):
    response = owner.post(TOKENS, body)

    assert response.status_code == 400
    assert ApplicationToken.objects.count() == 0


@pytest.mark.database
def test_making_and_revoking_is_audited(owner, made):
    owner.delete(f"{TOKENS}/{made['id']}")

    revoked, created = AuditEvent.objects.filter(action__startswith="application_token")
    assert (created.action, created.target_label) == ("application_token.created", "nightly")
    assert (revoked.action, revoked.target_id) == ("application_token.revoked", made["id"])
    assert revoked.actor_name == "owner@acme.example"

"""/sfp/api/application-tokens, and how application tokens are kept."""

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
    answer = owner.post(TOKENS, {"name": "nightly", "expiresIn": 7})
    assert answer.status_code == 201, answer
    return answer.json()


@pytest.mark.database
def test_a_token_is_shown_once_and_works(owner, made):
    assert set(made) == {"id", "name", "token", "prefix", "createdAt", "expiresAt"}
    assert Caller(made["token"]).get(ORGS).status_code == 200
    assert made["token"] not in owner.get(TOKENS).text


@pytest.mark.database
def test_the_list_tells_who_made_a_token_and_when_it_was_used(owner, made):
    before = owner.get(TOKENS).json()[0]
    Caller(made["token"]).get(ORGS)
    after = owner.get(TOKENS).json()[0]

    assert before["createdBy"] == "owner@acme.example"
    assert "lastUsedAt" not in before
    assert after["lastUsedAt"]
    assert after["prefix"] == made["token"][:10]


def test_a_token_reads_as_secret_scanners_want_it(made):
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
def test_a_mistyped_token_is_refused_without_asking_the_database(made, django_assert_num_queries):
    mistyped = made["token"][:-1] + ("a" if made["token"][-1] != "a" else "b")

    with django_assert_num_queries(0):
        answer = Caller(mistyped).get(ORGS)

    assert answer.refusal == (401, "TOKEN_INVALID")


@pytest.mark.database
def test_a_token_expires(made):
    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1)):
        answer = Caller(made["token"]).get(ORGS)

    assert answer.json()["code"] == "TOKEN_EXPIRED"


def test_without_a_time_a_token_lives_thirty_days(owner):
    row = owner.post(TOKENS, {"name": "x"}).json()

    days = (ApplicationToken.objects.get(pk=row["id"]).expires_at - timezone.now()).days
    assert days == 29


@pytest.mark.database
@pytest.mark.parametrize("what", ["id", "token"])
def test_a_revoked_token_ends_at_once(owner, made, what):
    answer = owner.delete(f"{TOKENS}/{made[what]}")

    assert answer.status_code == 200
    assert answer.content == b""
    assert Caller(made["token"]).get(ORGS).json()["code"] == "TOKEN_REVOKED"
    assert owner.delete(f"{TOKENS}/{made[what]}").status_code == 404


@pytest.mark.database
@pytest.mark.parametrize("identifier", ["x", "00000000-0000-0000-0000-000000000000", "fdt_" + "0" * 42, "%00"])
def test_a_token_that_is_not_there(owner, identifier):
    answer = owner.delete(f"{TOKENS}/{identifier}")

    assert answer.status_code == 404
    assert answer.json()["code"] == "TOKEN_NOT_FOUND"


def test_a_token_in_the_path_gets_into_no_log_and_no_answer(owner, made, capfd, caplog):
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
def test_a_token_that_cannot_be_made(owner, body):
    answer = owner.post(TOKENS, body)

    assert answer.status_code == 400
    assert ApplicationToken.objects.count() == 0


@pytest.mark.database
def test_making_and_revoking_is_audited(owner, made):
    owner.delete(f"{TOKENS}/{made['id']}")

    revoked, created = AuditEvent.objects.filter(action__startswith="application_token")
    assert (created.action, created.details["name"]) == ("application_token.created", "nightly")
    assert (revoked.action, revoked.details["id"]) == ("application_token.revoked", made["id"])
    assert revoked.actor_name == "owner@acme.example"

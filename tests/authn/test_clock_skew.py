"""Times in users' tokens are checked with exactly 30 seconds of leeway."""

from datetime import datetime, timedelta

import jwt
import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from authn.maintenance import delete_ended_logins
from tests.authn.servicestack.wire import NAME, Wire
from tests.conftest import PASSWORD
from tests.support.api_client import Caller

pytestmark = pytest.mark.django_db
EMAIL = "mia@acme.example"
ORGS = "/sfp/api/auth/salesforce/orgs"


@pytest.fixture
def pair(a_person) -> dict[str, str]:
    """The tokens of a log-in over REST."""
    a_person(EMAIL)
    response = Caller().post("/sfp/api/auth/admin/login", {"email": EMAIL, "password": PASSWORD}).json()
    return {"access": response["access_token"], "refresh": response["refresh_token"]}


def _api(access: str) -> int:
    return Caller(access).get(ORGS).status_code


def _servicestack(access: str) -> int:
    return Wire().who(Authorization=f"Bearer {access}")


def _claims(token: str) -> dict[str, int]:
    return jwt.decode(token, options={"verify_signature": False})


def _signed(token: str, **times: datetime) -> str:
    """Return the token as another machine of the desk would have signed it, with other times."""
    claims = _claims(token) | {name: int(at.timestamp()) for name, at in times.items()}
    return jwt.encode(claims, settings.JWT_SIGNING_KEY, "HS256")


def _seconds_after_the_end(token: str, seconds: int) -> time_machine.travel:
    return time_machine.travel(_claims(token)["exp"] + seconds, tick=False)


@pytest.mark.parametrize("endpoint", [_api, _servicestack])
@pytest.mark.parametrize(("seconds", "status"), [(29, 200), (31, 401)])
def test_an_access_token_is_accepted_until_30_seconds_after_expiry(endpoint, seconds, status, pair):
    with _seconds_after_the_end(pair["access"], seconds):
        assert endpoint(pair["access"]) == status


@pytest.mark.parametrize("endpoint", [_api, _servicestack])
@pytest.mark.parametrize("claim", ["iat", "nbf"])
@pytest.mark.parametrize(("seconds", "status"), [(29, 200), (31, 401)])
def test_a_token_of_a_clock_that_is_ahead_is_accepted_30_seconds_early(endpoint, claim, seconds, status, pair):
    now = timezone.now().replace(microsecond=0)
    token = _signed(pair["access"], **{claim: now + timedelta(seconds=seconds)})

    with time_machine.travel(now, tick=False):
        assert endpoint(token) == status


@pytest.mark.parametrize(("seconds", "status"), [(29, 200), (31, 401)])
def test_a_refresh_token_is_accepted_until_30_seconds_after_expiry(seconds, status, pair):
    with _seconds_after_the_end(pair["refresh"], seconds):
        delete_ended_logins()

        assert Caller().post("/sfp/api/auth/refresh", {"refresh_token": pair["refresh"]}).status_code == status


@pytest.mark.parametrize(("seconds", "status"), [(29, 200), (31, 401)])
def test_a_servicestack_refresh_token_is_accepted_until_30_seconds_after_expiry(seconds, status, a_person):
    a_person(NAME)
    token = Wire().log_in()["refreshToken"]

    with _seconds_after_the_end(token, seconds):
        delete_ended_logins()

        assert Wire().post("/access-token", {"refreshToken": token}).status == status

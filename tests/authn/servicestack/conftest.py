"""A person who may log in at the ServiceStack service, and somebody at the wire."""

import pytest
from django.core.cache import cache

from authn.models import User
from tests.authn.servicestack.wire import NAME, Wire


@pytest.fixture
def ursula(a_person) -> User:
    cache.clear()  # Counts of tries outlive no test.
    return a_person(NAME)


@pytest.fixture
def wire(ursula) -> Wire:
    """Sends requests; Ursula is there to log in as."""
    return Wire()

"""Fixtures: a user, a client, and a running desk."""

from collections.abc import Iterator
from typing import Any

import pytest

from authn.models import User
from tests.authn.servicestack.wire import NAME, Wire
from tests.support.live_server import Desk, live_desk


@pytest.fixture
def ursula(a_person) -> User:
    return a_person(NAME)


@pytest.fixture
def wire(ursula) -> Wire:
    """A client without cookies; the user Ursula exists."""
    return Wire()


@pytest.fixture(scope="module")
def desk(django_db_setup: Any, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[Desk]:
    """A desk with one web server process, for one module, because it limits log-ins to 60 a minute."""
    with django_db_blocker.unblock(), live_desk(tmp_path_factory.mktemp("desk"), "http://127.0.0.1:9") as desk:
        yield desk


@pytest.fixture
def url(desk: Desk) -> str:
    return f"http://localhost:{desk.ports[0]}"

"""An empty database in the place of the one that tests share."""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from orgs.credentials.hash_key import token_hash_key
from tests.support.live_server import a_database


@pytest.fixture
def empty_database(tmp_path, django_db_setup, django_db_blocker) -> Iterator[BaseDatabaseWrapper]:
    """Put an empty database in the place of the one that tests share."""
    with django_db_blocker.unblock(), a_database(tmp_path) as url:
        shared = connections["default"]
        name = url.removeprefix("sqlite:///") if shared.vendor == "sqlite" else url.rpartition("/")[2]
        options = {option: value for option, value in shared.settings_dict["OPTIONS"].items() if option != "pool"}
        empty = type(shared)({**shared.settings_dict, "NAME": name, "OPTIONS": options}, "default")
        connections["default"] = empty
        token_hash_key.cache_clear()
        try:
            yield empty
        finally:
            connections["default"] = shared
            token_hash_key.cache_clear()
            empty.close()

"""Fixtures of keys on demand: a registered production org, sandboxes of it, and a pool."""

from typing import Any

import pytest

from orgs.salesforce.emulator import Emulator
from orgs.salesforce.emulator.models import Org
from tests.sandboxes.factories import a_production_org, an_instance
from tests.support.api_client import Caller


@pytest.fixture
def production(owner: Caller, salesforce: Emulator) -> Org:
    """A registered production org, a DevHub too."""
    return a_production_org(owner, salesforce)


@pytest.fixture
def sandbox(production: Org, salesforce: Emulator) -> Org:
    """A sandbox of it that nobody registered."""
    return salesforce.add_sandbox(production, "dev1")


@pytest.fixture
def sandboxes(production: Org, salesforce: Emulator) -> list[Org]:
    """Three of them."""
    return [salesforce.add_sandbox(production, f"dev{number}") for number in (1, 2, 3)]


@pytest.fixture
def pool(owner: Caller, sandboxes: list[Org]) -> list[Any]:
    """Three instances of a pool, one for each sandbox."""
    return [an_instance(owner, org.sandbox_name) for org in sandboxes]

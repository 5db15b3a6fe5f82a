"""Fixtures: a registered production org, sandboxes of it, and a pool."""

from typing import Any

import pytest

from orgs.salesforce.emulator import Emulator
from orgs.salesforce.emulator.models import Org
from tests.sandboxes.factories import a_production_org, an_instance
from tests.support.api_client import Caller


@pytest.fixture
def production(owner: Caller, salesforce: Emulator) -> Org:
    """Register a production org that is also a DevHub."""
    return a_production_org(owner, salesforce)


@pytest.fixture
def sandbox(production: Org, salesforce: Emulator) -> Org:
    """Create a sandbox that is not registered."""
    return salesforce.add_sandbox(production, "dev1")


@pytest.fixture
def sandboxes(production: Org, salesforce: Emulator) -> list[Org]:
    """Create three sandboxes that are not registered."""
    return [salesforce.add_sandbox(production, f"dev{number}") for number in (1, 2, 3)]


@pytest.fixture
def pool(owner: Caller, sandboxes: list[Org]) -> list[Any]:
    """Add each of the three sandboxes to a pool."""
    return [an_instance(owner, org.sandbox_name) for org in sandboxes]

"""Fixtures: an emulated Salesforce, behind each of its doors, and transports that reach it."""

from collections.abc import Callable, Iterator

import pytest
import responses

from orgs.salesforce import HostPolicy, SalesforceClient, Transport
from orgs.salesforce.emulator import Emulator
from orgs.salesforce.emulator.server import EmulatorServer


@pytest.fixture
def hosts() -> HostPolicy:
    return HostPolicy()


@pytest.fixture
def world() -> Emulator:
    return Emulator()


@pytest.fixture
def salesforce(world: Emulator) -> Iterator[Emulator]:
    """The world, behind the door inside the process."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        world.install(mock)
        yield world


@pytest.fixture
def served(world: Emulator) -> Iterator[EmulatorServer]:
    """The world, behind the HTTP door."""
    with world.serve() as server:
        yield server


@pytest.fixture
def served_with_tls(world: Emulator) -> Iterator[EmulatorServer]:
    """The world, behind the TLS door."""
    with world.serve(tls=True) as server:
        yield server


@pytest.fixture
def a_transport(hosts: HostPolicy) -> Iterator[Callable[..., Transport]]:
    """Make transports that are closed when the test ends."""
    made: list[Transport] = []

    def make(**options: object) -> Transport:
        made.append(Transport(hosts, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for transport in made:
        transport.close()


@pytest.fixture
def client(a_transport: Callable[..., Transport], hosts: HostPolicy) -> SalesforceClient:
    """A client that calls real host names; only `salesforce` answers them."""
    return SalesforceClient(a_transport(), hosts)

"""Fixtures: an emulated Salesforce in this process, over HTTP and over TLS, and transports to it."""

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
def emulator() -> Emulator:
    return Emulator()


@pytest.fixture
def salesforce(emulator: Emulator) -> Iterator[Emulator]:
    """The emulator, installed for every https request of this process."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        emulator.install(mock)
        yield emulator


@pytest.fixture
def served(emulator: Emulator) -> Iterator[EmulatorServer]:
    """The emulator, served over HTTP."""
    with emulator.serve() as server:
        yield server


@pytest.fixture
def served_with_tls(emulator: Emulator) -> Iterator[EmulatorServer]:
    """The emulator, served over TLS."""
    with emulator.serve(tls=True) as server:
        yield server


@pytest.fixture
def a_transport(hosts: HostPolicy) -> Iterator[Callable[..., Transport]]:
    """Create transports that are closed when the test ends."""
    made: list[Transport] = []

    def make(**options: object) -> Transport:
        made.append(Transport(hosts, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for transport in made:
        transport.close()


@pytest.fixture
def client(a_transport: Callable[..., Transport], hosts: HostPolicy) -> SalesforceClient:
    """A client that calls real host names; only `salesforce` responds to them."""
    return SalesforceClient(a_transport(), hosts)

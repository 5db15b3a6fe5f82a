"""The emulator as tests and the demo use it: build orgs, serve them, inject faults, inspect calls."""

from dataclasses import dataclass

from orgs.salesforce.emulator import in_process
from orgs.salesforce.emulator.builder import Builder
from orgs.salesforce.emulator.dispatcher import Dispatcher
from orgs.salesforce.emulator.server import EmulatorServer


@dataclass(eq=False)
class Emulator(Builder, Dispatcher):
    """An emulated Salesforce. Add orgs with `add_org`, then `serve` or `install` it."""

    def serve(self, *, tls: bool = False, port: int = 0) -> EmulatorServer:
        """Return an HTTP server on loopback; use it as a context manager. Port 0 picks a free one."""
        return EmulatorServer(self, tls=tls, port=port)

    def install(self, mock: in_process.CallbackRegistry) -> None:
        """Route every https request of this process here, through a `responses` mock."""
        in_process.install(self, mock)

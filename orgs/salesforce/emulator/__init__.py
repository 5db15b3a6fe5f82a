"""An emulated Salesforce for tests and the demo: keeps orgs and tokens, and refuses what Salesforce refuses.

    server, in_process ──▶ dispatcher ──▶ oauth, rest, on_demand, frontdoor ──▶ state ──▶ models
    (HTTP)  (`responses`)                 (handlers)

Start with `emulator` for the public class, `dispatcher` for the routes. `builder` adds orgs, `faults`
and `observation` serve tests, `fault_control` chooses faults over HTTP, `snapshot` saves the demo's
state. It imports nothing else of Frontdesk: it is the other side of the wire.
"""

from orgs.salesforce.emulator.emulator import Emulator
from orgs.salesforce.emulator.faults import Fault
from orgs.salesforce.emulator.observation import Call
from orgs.salesforce.emulator.wire import Request, Response

__all__ = ["Call", "Emulator", "Fault", "Request", "Response"]

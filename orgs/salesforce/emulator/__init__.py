"""A Salesforce of our own: one core that keeps state and refuses what Salesforce refuses, two doors.

Tests reach it through `responses` or over HTTP and TLS; the demo over HTTP. It imports nothing
else of Frontdesk: it is the other side of the wire.
"""

from orgs.salesforce.emulator.core import Emulator
from orgs.salesforce.emulator.faults import Fault
from orgs.salesforce.emulator.observation import Call
from orgs.salesforce.emulator.wire import Request, Response

__all__ = ["Call", "Emulator", "Fault", "Request", "Response"]

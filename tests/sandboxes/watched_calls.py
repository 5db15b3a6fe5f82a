"""Observes the desk's transaction at each call to the emulated Salesforce."""

from collections.abc import Callable
from typing import Any

from django.db import connection, connections

from orgs.salesforce.emulator import Emulator
from orgs.salesforce.emulator.observation import Call


class WatchedCalls(list[Call]):
    """The calls of an emulator, with whether the thread of the test had a transaction open at each."""

    def __init__(self, also: Callable[[], Any]) -> None:
        super().__init__()
        self._desk, self._also = connections[connection.alias], also
        self.in_transaction: list[str] = []
        self.seen: list[Any] = []

    def append(self, call: Call) -> None:
        super().append(call)
        if self._desk.in_atomic_block:
            self.in_transaction.append(call.path)
        else:
            self.seen.append(self._also())


def watch(salesforce: Emulator, also: Callable[[], Any] = lambda: None) -> WatchedCalls:
    """Watch the calls from now on. `seen` collects what `also` returns at each."""
    salesforce.calls = calls = WatchedCalls(also)
    return calls

"""Recorded calls and injected faults, for tests."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from orgs.salesforce.emulator.faults import Fault
from orgs.salesforce.emulator.wire import Request


@dataclass(frozen=True)
class Call:
    """A request that was handled. Holds no secret."""

    method: str
    host: str
    path: str
    grant_type: str
    status: int
    started_at: float
    finished_at: float
    literals: int = 0  # quoted literals in a SOQL query; a second one means injection


@dataclass
class _Injected:
    fault: Fault
    host: str | None
    path: str | None
    times: int | None

    def fits(self, request: Request) -> bool:
        """Return True if this fault applies to the request."""
        return self.host in (None, request.host) and request.path.startswith(self.path or "") and self.times != 0


@dataclass(eq=False)
class Observation:
    """Records calls and schedules faults, under the lock that guards all of the state."""

    calls: list[Call] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _faults: list[_Injected] = field(default_factory=list)

    def inject(
        self, fault: Fault, *, host: str | None = None, path: str | None = None, times: int | None = 1
    ) -> Callable[[], None]:
        """Apply a fault to the next `times` requests to a host, or to paths with this prefix.

        `times=None` applies it to all of them. Returns a function that removes the fault.
        """
        injected = _Injected(fault, host, path, times)
        with self.lock:
            self._faults.append(injected)

        def end() -> None:
            injected.times = 0

        return end

    def clear_faults(self) -> None:
        """Remove all faults."""
        with self.lock:
            self._faults.clear()

    def calls_to(self, *, host: str | None = None, path: str | None = None) -> list[Call]:
        """Return the calls to a host, or to paths with this prefix."""
        with self.lock:
            return [call for call in self.calls if host in (None, call.host) and call.path.startswith(path or "")]

    def reset_calls(self) -> None:
        """Discard the recorded calls."""
        with self.lock:
            self.calls.clear()

    def refreshes(self, host: str | None = None) -> int:
        """Return the number of refresh requests."""
        return sum(1 for call in self.calls_to(host=host) if call.grant_type == "refresh_token")

    def next_fault(self, request: Request) -> Fault | None:
        """Return the fault that applies to this request, and count it as used."""
        with self.lock:
            injected = next((each for each in self._faults if each.fits(request)), None)
            if injected and injected.times is not None:
                injected.times -= 1
            return injected.fault if injected else None

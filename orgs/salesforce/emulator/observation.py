"""What a test may see of the emulated Salesforce, and what it may do to it: calls and faults."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from orgs.salesforce.emulator.faults import Fault
from orgs.salesforce.emulator.wire import Request


@dataclass(frozen=True)
class Call:
    """One request that was answered. Holds no secret."""

    method: str
    host: str
    path: str
    grant_type: str
    status: int
    started_at: float
    finished_at: float
    literals: int = 0  # quoted texts in a query: more than one would be an injection


@dataclass
class _Injected:
    fault: Fault
    host: str | None
    path: str | None
    times: int | None

    def fits(self, request: Request) -> bool:
        """Tell whether this fault is for the request."""
        return self.host in (None, request.host) and request.path.startswith(self.path or "") and self.times != 0


@dataclass(eq=False)
class Observation:
    """Counts calls and hands out faults. The Emulator builds on it."""

    calls: list[Call] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock, repr=False)
    _faults: list[_Injected] = field(default_factory=list)

    def inject(
        self, fault: Fault, *, host: str | None = None, path: str | None = None, times: int | None = 1
    ) -> Callable[[], None]:
        """Let a fault happen to the next `times` requests to a host, or to paths that begin so.

        `times=None`: to all. Returns what ends it.
        """
        injected = _Injected(fault, host, path, times)
        with self.lock:
            self._faults.append(injected)

        def end() -> None:
            injected.times = 0

        return end

    def clear_faults(self) -> None:
        """Let Salesforce be well again."""
        with self.lock:
            self._faults.clear()

    def calls_to(self, *, host: str | None = None, path: str | None = None) -> list[Call]:
        """Return the calls to a host, or to paths that begin so."""
        with self.lock:
            return [call for call in self.calls if host in (None, call.host) and call.path.startswith(path or "")]

    def reset_calls(self) -> None:
        """Forget what was seen."""
        with self.lock:
            self.calls.clear()

    def refreshes(self, host: str | None = None) -> int:
        """Return how many refreshes were asked for."""
        return sum(1 for call in self.calls_to(host=host) if call.grant_type == "refresh_token")

    def next_fault(self, request: Request) -> Fault | None:
        """Return the fault that this request meets, and count it."""
        with self.lock:
            injected = next((each for each in self._faults if each.fits(request)), None)
            if injected and injected.times is not None:
                injected.times -= 1
            return injected.fault if injected else None

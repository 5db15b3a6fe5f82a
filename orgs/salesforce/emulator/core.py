"""The core: answers requests about a world, and refuses what Salesforce refuses."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orgs.salesforce.emulator import error_texts, front_door, oauth, rest, soql
from orgs.salesforce.emulator.builder import Building
from orgs.salesforce.emulator.models import LOCAL_HOSTS, LOGIN_HOSTS, Grant, Session
from orgs.salesforce.emulator.observation import Call
from orgs.salesforce.emulator.wire import Request, Response, rest_error

if TYPE_CHECKING:
    from orgs.salesforce.emulator.server import EmulatorServer

# Path prefix -> what answers it; the longest prefix wins. A later part of the world adds its own.
Route = Callable[["Emulator", Request], Response]
ROUTES: list[tuple[str, Route]] = [
    ("/services/oauth2/token", oauth.token),
    ("/services/oauth2/revoke", oauth.revoke),
    ("/services/oauth2/userinfo", rest.userinfo),
    ("/services/oauth2/singleaccess", front_door.single_access),
    ("/secur/frontdoor.jsp", front_door.enter),
    ("/lightning", front_door.landing),
    ("/org/", front_door.at_gateway),
    ("/id/", rest.identity),
    ("/services/data", rest.data),
]


@dataclass(eq=False)
class Emulator(Building):
    """A world that answers. Build it with add_org and its kin; ask it with `answer`."""

    def knows_host(self, host: str) -> bool:
        """Tell whether anything answers at this host; a foreign name does not resolve."""
        return host in LOCAL_HOSTS or host in LOGIN_HOSTS or self.org_at(front_door.org_host(host)) is not None

    def answer(self, request: Request) -> Response:
        """Answer one request, faults included."""
        started = self.clock()
        fault = self.next_fault(request)
        response = Response(0) if fault and not fault.processed else self._process(request)
        if fault:
            response = fault.change(response)
        form = request.form if request.path.startswith("/services/oauth2") else {}
        call = Call(
            request.method,
            request.host,
            request.path,
            form.get("grant_type", ""),
            response.status,
            started,
            self.clock(),
            soql.literals_in(request.query.get("q", "")),
        )
        with self.lock:
            self.calls.append(call)
        return response

    def _process(self, request: Request) -> Response:
        org = self.org_at(front_door.org_host(request.host))
        if org is not None and org.deleted:
            return Response(200, error_texts.DATA_NOT_AVAILABLE_PAGE, "text/html")
        fitting = [(prefix, route) for prefix, route in ROUTES if request.path.startswith(prefix)]
        if not fitting:
            return rest_error(404, *error_texts.NOT_FOUND)
        _, route = max(fitting, key=lambda entry: len(entry[0]))
        return route(self, request)

    def session_of(self, request: Request) -> Session | None:
        """Return the live session of a request's bearer, if it is good at the request's host."""
        with self.lock:
            session = self.sessions.get(request.bearer)
            if session is None or not session.alive or session.expires_at <= self.clock():
                return None
            if request.host not in LOCAL_HOSTS and self.org_at(request.host) is not session.grant.user.org:
                return None
            return session

    @contextmanager
    def one_refresh_at_a_time(self, grant: Grant) -> Iterator[bool]:
        """Hold a grant for a token request; gives False when another request holds it."""
        with self.lock:
            free, grant.busy = not grant.busy, True
        try:
            if free and self.token_latency:
                time.sleep(self.token_latency)
            yield free
        finally:
            if free:
                with self.lock:
                    grant.busy = False

    def serve(self, *, tls: bool = False, port: int = 0) -> "EmulatorServer":
        """Open the HTTP door on loopback; use it as a context manager."""
        from orgs.salesforce.emulator.server import EmulatorServer

        return EmulatorServer(self, tls=tls, port=port)

    def install(self, mock: Any) -> None:
        """Open the door in a `responses` mock: every https call of this process comes here."""
        from orgs.salesforce.emulator.responses_door import install

        install(self, mock)

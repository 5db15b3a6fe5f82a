"""Routes a request to its handler, applies injected faults, and records the call."""

from collections.abc import Callable
from dataclasses import dataclass

from orgs.salesforce.emulator import error_texts, fault_control, frontdoor, oauth, rest, soql
from orgs.salesforce.emulator.models import LOCAL_HOSTS, LOGIN_HOSTS
from orgs.salesforce.emulator.observation import Call
from orgs.salesforce.emulator.state import State
from orgs.salesforce.emulator.wire import Request, Response, rest_error

Handler = Callable[[State, Request], Response]
# Handlers by path prefix; the longest prefix wins.
ROUTES: list[tuple[str, Handler]] = [
    ("/services/oauth2/token", oauth.token),
    ("/services/oauth2/revoke", oauth.revoke),
    ("/services/oauth2/userinfo", rest.userinfo),
    ("/services/oauth2/singleaccess", frontdoor.single_access),
    ("/secur/frontdoor.jsp", frontdoor.enter),
    ("/lightning", frontdoor.landing),
    ("/org/", frontdoor.at_gateway),
    ("/id/", rest.identity),
    ("/services/data", rest.data),
]


@dataclass(eq=False)
class Dispatcher(State):
    """State that responds to requests. Both transports, `server` and `in_process`, call it."""

    def knows_host(self, host: str) -> bool:
        """Return True if this host resolves: a login host, a local address, or an org's host."""
        return host in LOCAL_HOSTS or host in LOGIN_HOSTS or self.org_at(frontdoor.org_host(host)) is not None

    def respond(self, request: Request) -> Response:
        """Return the response to a request, changed by an injected fault if there is one."""
        if fault_control.is_control(request):
            return fault_control.respond(self, request)
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
        org = self.org_at(frontdoor.org_host(request.host))
        if org is not None and org.deleted:
            return Response(200, error_texts.DATA_NOT_AVAILABLE_PAGE, "text/html")
        matches = [(prefix, handler) for prefix, handler in ROUTES if request.path.startswith(prefix)]
        if not matches:
            return rest_error(404, *error_texts.NOT_FOUND)
        _, handler = max(matches, key=lambda match: len(match[0]))
        return handler(self, request)

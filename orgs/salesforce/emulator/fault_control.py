"""Lets an operator of the demo choose faults over HTTP: /emulator/faults at the emulator's own address.

    curl localhost:8001/emulator/faults                                          lists the names
    curl localhost:8001/emulator/faults --json '{"name": "app-blocked"}'         the next token request fails
    curl -X DELETE localhost:8001/emulator/faults                                ends all faults

A POST takes `name`, and `host`, `path` and `times` as `Observation.inject` does; null for `times` is every request.
"""

import json

from orgs.salesforce.emulator import error_texts
from orgs.salesforce.emulator.faults import Fault
from orgs.salesforce.emulator.models import LOCAL_HOSTS
from orgs.salesforce.emulator.observation import Observation
from orgs.salesforce.emulator.wire import Request, Response, json_response

PATH = "/emulator/faults"
_TOKEN_PATH = "/services/oauth2/token"  # noqa: S105  # a path
_PAGE = "text/html; charset=utf-8"

FAULTS: dict[str, Fault] = {
    "expired": Fault.oauth(*error_texts.EXPIRED),
    "app-not-installed": Fault.oauth(*error_texts.EXTERNAL_APP_NOT_INSTALLED),
    "app-not-found": Fault.oauth(*error_texts.APP_NOT_FOUND),
    "app-blocked": Fault.oauth(*error_texts.APP_BLOCKED),
    "api-access-denied": Fault.oauth(*error_texts.API_ACCESS_DENIED),
    "unfit-session": Fault.rest(401, *error_texts.UNFIT_SESSION),
    "server-error": Fault.oauth(*error_texts.SERVER_ERROR),
    "temporarily-unavailable": Fault.oauth(*error_texts.TEMPORARILY_UNAVAILABLE),
    "invalid-request": Fault.oauth(*error_texts.INVALID_REQUEST),
    "unknown-error": Fault.oauth("a_new_error", "an unknown description"),
    "unknown-text": Fault.oauth("invalid_grant", "an unknown description"),
    "login-rate": Fault.oauth(*error_texts.LOGIN_RATE),
    "maintenance": Fault.html_maintenance(),
    "interstitial": Fault.html_interstitial(),
    "proxy-page": Fault.status(200, error_texts.PROXY_PAGE, _PAGE),
    "proxy-page-403": Fault.status(403, error_texts.PROXY_PAGE, _PAGE),
    "bad-oauth-token": Fault.status(403, error_texts.BAD_OAUTH_TOKEN),
    "reset": Fault.reset(),
    "truncated": Fault.truncated(),
    "hang": Fault.hang(60),
}


def is_control(request: Request) -> bool:
    """Return True if the request is for the emulator itself, not for a host that it emulates."""
    return request.host in LOCAL_HOSTS and request.path == PATH


def respond(state: Observation, request: Request) -> Response:
    """List, inject or end faults."""
    if request.method == "GET":
        return json_response(200, sorted(FAULTS))
    if request.method == "DELETE":
        state.clear_faults()
        return Response(204)
    # A page of another site can send a form to this address, but no JSON.
    if request.method != "POST" or request.header("Content-Type").partition(";")[0] != "application/json":
        return json_response(405, {"message": "Send GET, DELETE, or POST with JSON."})
    try:
        chosen = json.loads(request.body)
        fault, times = FAULTS[chosen["name"]], chosen.get("times", 1)
    except (ValueError, KeyError, TypeError, AttributeError):
        return json_response(400, {"message": "Send a JSON object with the name of a fault.", "names": sorted(FAULTS)})
    state.inject(fault, host=chosen.get("host"), path=chosen.get("path", _TOKEN_PATH), times=times)
    return Response(204)

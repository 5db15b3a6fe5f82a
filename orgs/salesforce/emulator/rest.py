"""Identity endpoints and the part of the REST API that Frontdesk and its tests call."""

import re
from collections.abc import Callable

from orgs.salesforce.emulator import error_texts, on_demand, soql
from orgs.salesforce.emulator.models import Org, Session, User
from orgs.salesforce.emulator.soql import Row
from orgs.salesforce.emulator.state import State
from orgs.salesforce.emulator.wire import Request, Response, json_response, rest_error

_RESOURCE = re.compile(r"/services/data/v(\d+\.\d)(?:/(.*))?")
_LIMITS = {"Sforce-Limit-Info": "api-usage=18/5000"}

# Rows of an sObject that a session may read.
Rows = Callable[[Session], list[Row]]
OBJECTS: dict[str, Rows] = {
    "Organization": lambda session: [_organization(session.grant.user.org)],
    "User": lambda session: [_user(user) for user in session.grant.user.org.users],
}
DEV_HUB_OBJECTS: dict[str, Rows] = {
    "ScratchOrgInfo": on_demand.scratch_rows,
    "ActiveScratchOrg": on_demand.active_scratch_rows,
}
# Only production orgs have these, and only in the Tooling API.
SANDBOX_OBJECTS: dict[str, Rows] = {
    "SandboxInfo": on_demand.sandbox_info_rows,
    "SandboxProcess": on_demand.sandbox_process_rows,
}


def userinfo(state: State, request: Request) -> Response:
    """Handle GET /services/oauth2/userinfo."""
    if not request.bearer:
        return Response(403, error_texts.MISSING_OAUTH_TOKEN, "text/plain")
    session = state.session_of(request)
    if session is None:
        return Response(403, error_texts.BAD_OAUTH_TOKEN, "text/plain")
    user = session.grant.user
    return json_response(
        200,
        {
            "sub": f"https://{user.org.login_host}/id/{user.org.org_id}/{user.user_id}",
            "user_id": user.user_id,
            "organization_id": user.org.org_id,
            "preferred_username": user.username,
            "name": user.username.partition("@")[0],
            "email": user.username,
            "active": user.active,
            "user_type": "STANDARD",
            "language": "en_US",
            "locale": "en_US",
        },
    )


def identity(state: State, request: Request) -> Response:
    """Handle GET /id/{org}/{user} on a login host."""
    session = state.sessions.get(request.bearer or request.query.get("oauth_token", ""))
    if session is None or not session.alive:
        return Response(403, error_texts.BAD_OAUTH_TOKEN, "text/plain")
    user = session.grant.user
    return json_response(
        200,
        {
            "id": f"https://{request.host}{request.path}",
            "user_id": user.user_id,
            "organization_id": user.org.org_id,
            "username": user.username,
            "display_name": user.username,
            "email": user.username,
            "active": user.active,
            "urls": {"rest": f"{user.org.instance_url}/services/data/v{{version}}/"},
        },
    )


def data(state: State, request: Request) -> Response:
    """Handle /services/data. The version list needs no session, everything else does."""
    if request.path.rstrip("/") == "/services/data":
        listed = [{"label": v, "url": f"/services/data/v{v}", "version": v} for v in error_texts.VERSIONS]
        return json_response(200, listed)
    match = _RESOURCE.fullmatch(request.path)
    if match is None or match[1] not in (*error_texts.VERSIONS, "51.0", "59.0"):
        return rest_error(404, *error_texts.NOT_FOUND)
    session = state.session_of(request)
    if session is None:
        return rest_error(401, *error_texts.DEAD_SESSION)
    if session.grant.user.org.limits_api_access:
        return rest_error(401, *error_texts.UNFIT_SESSION)
    return _resource(state, session, match[2] or "", request)


def _resource(state: State, session: Session, path: str, request: Request) -> Response:
    if path.rstrip("/") == "":
        return json_response(200, {"query": f"{request.path}/query", "sobjects": f"{request.path}/sobjects"}, **_LIMITS)
    if path.rstrip("/") == "limits":
        return json_response(200, {"DailyApiRequests": {"Max": 5000, "Remaining": 4982}}, **_LIMITS)
    if path.rstrip("/") == "query":
        return _query(session, request.query.get("q", ""), visible_objects(session))
    if path.rstrip("/") == "tooling/query":
        objects = SANDBOX_OBJECTS if session.grant.user.org.kind == "production" else {}
        return _query(session, request.query.get("q", ""), objects)
    if path.rstrip("/") == "tooling/sandboxAuth":
        return on_demand.sandbox_auth(state, session, request)
    parts = path.rstrip("/").split("/")
    if len(parts) == 3 and parts[0] == "sobjects":
        if request.method == "PATCH":
            return on_demand.change_record(state, session, parts[1], parts[2], request)
        return _record(session, parts[1], parts[2])
    return rest_error(404, *error_texts.NOT_FOUND)


def visible_objects(session: Session) -> dict[str, Rows]:
    """Return the sObjects that exist in the session's org."""
    return OBJECTS | (DEV_HUB_OBJECTS if session.grant.user.org.is_dev_hub else {})


def _record(session: Session, name: str, identifier: str) -> Response:
    rows = visible_objects(session).get(name)
    for row in rows(session) if rows else []:
        if str(row["Id"])[:15] == identifier[:15]:
            return json_response(200, {"attributes": {"type": name}, **row}, **_LIMITS)
    return rest_error(404, *error_texts.NOT_FOUND)


def _query(session: Session, text: str, objects: dict[str, Rows]) -> Response:
    try:
        query = soql.parse(text)
    except soql.Malformed:
        return rest_error(400, "MALFORMED_QUERY", "unexpected token in the query")
    if query.conditions and soql.literals_in(text) != 1:
        # Salesforce would allow it. Frontdesk queries one name at a time, so a second literal means SOQL injection.
        return rest_error(400, "MALFORMED_QUERY", "a query of Frontdesk holds exactly one literal")
    rows = objects.get(query.object_name)
    if rows is None:
        return rest_error(400, "INVALID_TYPE", f"sObject type '{query.object_name}' is not supported.")
    found = query.select(rows(session))
    if found is None:
        return rest_error(400, "INVALID_FIELD", f"No such column on entity '{query.object_name}'.")
    records = [{"attributes": {"type": query.object_name}, **row} for row in found]
    return json_response(200, {"totalSize": len(records), "done": True, "records": records}, **_LIMITS)


def _organization(org: Org) -> Row:
    return {
        "Id": org.org_id,
        "Name": org.name,
        "InstanceName": org.instance_name,
        "IsSandbox": org.kind != "production",
        "TrialExpirationDate": org.trial_expiration,
        "NamespacePrefix": None,
        "OrganizationType": org.organization_type,
    }


def _user(user: User) -> Row:
    return {
        "Id": user.user_id,
        "Username": user.username,
        "Email": user.username,
        "Name": user.username.partition("@")[0],
        "IsActive": user.active,
    }

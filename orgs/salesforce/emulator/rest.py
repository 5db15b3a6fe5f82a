"""Identity and the REST API below /services/data, as far as Frontdesk and its tests ask."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orgs.salesforce.emulator import error_texts, on_demand, soql
from orgs.salesforce.emulator.models import Org, Session, User
from orgs.salesforce.emulator.wire import Request, Response, json_response, rest_error

if TYPE_CHECKING:
    from orgs.salesforce.emulator.core import Emulator

_RESOURCE = re.compile(r"/services/data/v(\d+\.\d)(?:/(.*))?")
_LIMITS = {"Sforce-Limit-Info": "api-usage=18/5000"}

# Object name -> the rows that a session may see. A later part of the world adds its own.
Rows = Callable[["Emulator", Session], list[dict[str, Any]]]
OBJECTS: dict[str, Rows] = {
    "Organization": lambda _, session: [_organization(session.grant.user.org)],
    "User": lambda _, session: [_user(user) for user in session.grant.user.org.users],
}
DEV_HUB_OBJECTS: dict[str, Rows] = {
    "ScratchOrgInfo": on_demand.scratch_rows,
    "ActiveScratchOrg": on_demand.active_scratch_rows,
}
# Only a production org has these, and only in the tooling API.
SANDBOX_OBJECTS: dict[str, Rows] = {
    "SandboxInfo": on_demand.sandbox_info_rows,
    "SandboxProcess": on_demand.sandbox_process_rows,
}


def userinfo(world: "Emulator", request: Request) -> Response:
    """Answer GET /services/oauth2/userinfo."""
    if not request.bearer:
        return Response(403, error_texts.MISSING_OAUTH_TOKEN, "text/plain")
    session = world.session_of(request)
    if session is None:
        return Response(403, error_texts.BAD_OAUTH_TOKEN, "text/plain")
    user = session.grant.user
    return json_response(
        200,
        {
            "sub": f"https://login.salesforce.com/id/{user.org.org_id}/{user.user_id}",
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


def identity(world: "Emulator", request: Request) -> Response:
    """Answer GET /id/{org}/{user}, which lives on the login hosts."""
    session = world.sessions.get(request.bearer or request.query.get("oauth_token", ""))
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


def data(world: "Emulator", request: Request) -> Response:
    """Answer /services/data: the versions for anybody, all else for a live session."""
    if request.path.rstrip("/") == "/services/data":
        listed = [{"label": v, "url": f"/services/data/v{v}", "version": v} for v in error_texts.VERSIONS]
        return json_response(200, listed)
    match = _RESOURCE.fullmatch(request.path)
    if match is None or match[1] not in (*error_texts.VERSIONS, "51.0", "59.0"):
        return rest_error(404, *error_texts.NOT_FOUND)
    session = world.session_of(request)
    if session is None:
        return rest_error(401, *error_texts.DEAD_SESSION)
    return _resource(world, session, match[2] or "", request)


def _resource(world: "Emulator", session: Session, path: str, request: Request) -> Response:
    if path.rstrip("/") == "":
        return json_response(200, {"query": f"{request.path}/query", "sobjects": f"{request.path}/sobjects"}, **_LIMITS)
    if path.rstrip("/") == "limits":
        return json_response(200, {"DailyApiRequests": {"Max": 5000, "Remaining": 4982}}, **_LIMITS)
    if path.rstrip("/") == "query":
        return _query(world, session, request.query.get("q", ""), visible_objects(session))
    if path.rstrip("/") == "tooling/query":
        objects = SANDBOX_OBJECTS if session.grant.user.org.kind == "production" else {}
        return _query(world, session, request.query.get("q", ""), objects)
    if path.rstrip("/") == "tooling/sandboxAuth":
        return on_demand.sandbox_auth(world, session, request)
    parts = path.rstrip("/").split("/")
    if len(parts) == 3 and parts[0] == "sobjects":
        if request.method == "PATCH":
            return on_demand.change_record(world, session, parts[1], parts[2], request)
        return _record(world, session, parts[1], parts[2])
    return rest_error(404, *error_texts.NOT_FOUND)


def visible_objects(session: Session) -> dict[str, Rows]:
    """Return the objects that exist in the session's org."""
    return OBJECTS | (DEV_HUB_OBJECTS if session.grant.user.org.is_dev_hub else {})


def _record(world: "Emulator", session: Session, name: str, identifier: str) -> Response:
    rows = visible_objects(session).get(name)
    for row in rows(world, session) if rows else []:
        if row["Id"][:15] == identifier[:15]:
            return json_response(200, {"attributes": {"type": name}, **row}, **_LIMITS)
    return rest_error(404, *error_texts.NOT_FOUND)


def _query(world: "Emulator", session: Session, text: str, objects: dict[str, Rows]) -> Response:
    try:
        query = soql.parse(text)
    except soql.Malformed:
        return rest_error(400, "MALFORMED_QUERY", "unexpected token in the query")
    if query.conditions and soql.literals_in(text) != 1:
        # Salesforce would allow it. The desk asks for one name at a time, so more than one is an injection.
        return rest_error(400, "MALFORMED_QUERY", "a query of the desk holds exactly one literal")
    rows = objects.get(query.object_name)
    if rows is None:
        return rest_error(400, "INVALID_TYPE", f"sObject type '{query.object_name}' is not supported.")
    found = query.select(rows(world, session))
    if found is None:
        return rest_error(400, "INVALID_FIELD", f"No such column on entity '{query.object_name}'.")
    records = [{"attributes": {"type": query.object_name}, **row} for row in found]
    return json_response(200, {"totalSize": len(records), "done": True, "records": records}, **_LIMITS)


def _organization(org: Org) -> dict[str, Any]:
    return {
        "Id": org.org_id,
        "Name": org.name,
        "InstanceName": org.instance_name,
        "IsSandbox": org.kind != "production",
        "TrialExpirationDate": org.trial_expiration,
        "NamespacePrefix": None,
        "OrganizationType": org.organization_type,
    }


def _user(user: User) -> dict[str, Any]:
    return {
        "Id": user.user_id,
        "Username": user.username,
        "Email": user.username,
        "Name": user.username.partition("@")[0],
        "IsActive": user.active,
    }

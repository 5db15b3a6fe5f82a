"""The table of roles in docs/api.md as data, and helpers that send each request and check its response."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from orgs.salesforce.emulator import Emulator
from orgs.salesforce.emulator.models import Org
from tests.orgs.factories import a_registered_org, an_org
from tests.support.api_client import ApiResponse, Caller

API = "/sfp/api"
SF = f"{API}/auth/salesforce"
CI = {"username": "ci@acme.example"}
NO_TOKEN = "00000000-0000-0000-0000-000000000000"
NO_LINK = "00000000-0000-0000-0000-000000000001/spent"
KEYS = {"accessToken", "sfdxAuthUrl", "authError", "frontDoorUrl"}
IN_POOL = {"repository": "acme/app", "poolTag": "features"}
PARENT = {"parentUsername": "ci@acme.example"}
QA, DEV2 = {"name": "qa", "type": "SANDBOX"}, {"name": "dev2", "type": "SANDBOX"}
HELD = {"repository": "acme/app", "assignmentId": "pr-1"}
DEV1 = {"sandboxName": "dev1", "productionUsername": "ci@acme.example"}
TO_DEV1 = {"action": "frontDoorUrl", "params": "targetOrg:dev1"}
S1 = {"scratchOrgUsername": "s1@acme.example"}


class Cell(NamedTuple):
    """An expected response: status, code and message of an error, and which of KEYS, separated by spaces."""

    status: int
    code: str = ""
    message: str = ""
    keys: str = ""


OK, MADE, PAGE = Cell(200), Cell(201), Cell(302)
TOKEN, URL, ERROR = Cell(200, keys="accessToken"), Cell(200, keys="sfdxAuthUrl"), Cell(200, keys="authError")
NO_LOGIN, NO_REFRESH = Cell(401, "INVALID_CREDENTIALS"), Cell(401, "REFRESH_INVALID")
UNKNOWN = Cell(404, "TOKEN_NOT_FOUND")
DOOR, LINK = Cell(302), Cell(200, keys="frontDoorUrl")
OPENED, OPENED_WITH_URL = (
    Cell(201, keys="accessToken frontDoorUrl"),
    Cell(201, keys="accessToken frontDoorUrl sfdxAuthUrl"),
)
NO_FRONTDOOR = Cell(403, "FRONTDOOR_NOT_ALLOWED", "Members may not open ci@acme.example, a production org or DevHub.")
NOT_ASSIGNED = Cell(403, "POOL_NOT_ASSIGNED")
NO_ASSIGNMENT = Cell(404, "ASSIGNMENT_NOT_FOUND")
OWNERS = Cell(403, "ROLE_REQUIRED", "Forbidden - Requires role: owner")
HOLDERS = Cell(403, "ROLE_REQUIRED", "Forbidden - Requires role: owner, application")
NO_CREDENTIALS = Cell(403, "CREDENTIALS_FORBIDDEN", "Forbidden - Requires role: owner, application")
OFF = Cell(403, "AUTH_URL_RELEASE_OFF", "The release of auth URLs is disabled.")
DEAD = Cell(409, "CREDENTIAL_EXPIRED")

# (method, path, query, body) -> what every caller gets, with or without a bearer token.
OPEN = [
    ("POST", f"{API}/auth/admin/login", {}, {"email": "a@b.example", "password": "x"}, NO_LOGIN),
    ("POST", f"{API}/auth/refresh", {}, {"refresh_token": "x"}, NO_REFRESH),
    ("GET", API, {}, None, PAGE),
    ("GET", "/sfp/apidocs-json", {}, None, PAGE),
    ("GET", f"{API}/schema", {}, None, OK),
    ("GET", f"{API}/docs", {}, None, OK),
    ("GET", "/livez", {}, None, OK),
    ("GET", "/readyz", {}, None, OK),
    ("POST", f"{API}/auth/callback", {}, {"access_token": "x"}, Cell(401, "TOKEN_INVALID")),
    ("GET", f"{API}/auth/continue", TO_DEV1, None, OK),
    ("POST", f"{API}/auth/continue", TO_DEV1, None, OK),
    ("GET", "/", {}, None, PAGE),
    ("GET", "/open", {"name": "dev1"}, None, PAGE),
    ("GET", "/console", {}, None, PAGE),
    ("GET", "/admin", {}, None, PAGE),
    ("GET", "/admin/", {}, None, PAGE),
    # Pages authenticate by session and ignore a bearer token.
    ("GET", "/login", {}, None, OK),
    ("POST", "/login", {}, None, OK),
    ("GET", "/logout", {}, None, OK),
    ("POST", "/logout", {}, None, PAGE),
    ("GET", "/password", {}, None, PAGE),
    ("POST", "/password", {}, None, PAGE),
    ("GET", f"/set-password/{NO_LINK}", {}, None, Cell(410)),
    ("POST", f"/set-password/{NO_LINK}", {}, None, Cell(410)),
]
# (method, path, body) -> the statuses for an anonymous caller, a member, an application and an owner.
LOGIN = {"provider": "credentials", "UserName": "a@b.example", "Password": "x"}
SERVICESTACK = [
    *[("GET", path, None, 401, 200, 200, 200) for path in ("/auth", "/authenticate", "/json/reply/<operation>")],
    *[("GET", path, None, 401, 200, 200, 200) for path in ("/json/oneway/<operation>", "/api/<operation>")],
    *[("GET", path, None, 405, 405, 405, 405) for path in ("/auth/<provider>", "/authenticate/<provider>")],
    *[("POST", path, {}, 401, 200, 200, 200) for path in ("/auth", "/authenticate", "/json/reply/<operation>")],
    *[("POST", path, {}, 401, 200, 200, 200) for path in ("/json/oneway/<operation>", "/api/<operation>")],
    *[("POST", path, LOGIN, 401, 401, 401, 401) for path in ("/auth/<provider>", "/authenticate/<provider>")],
    *[("DELETE", path, None, 200, 200, 200, 200) for path in ("/auth", "/authenticate", "/json/reply/<operation>")],
    *[("DELETE", path, None, 200, 200, 200, 200) for path in ("/json/oneway/<operation>", "/api/<operation>")],
    *[("DELETE", path, None, 200, 200, 200, 200) for path in ("/auth/<provider>", "/authenticate/<provider>")],
    ("POST", "/access-token", {}, 400, 400, 400, 400),
    ("GET", "/metadata", None, 200, 200, 200, 200),
    ("GET", "/json/metadata", None, 200, 200, 200, 200),
]
# (method, path, query, body) -> what a member, an application and an owner get.
TABLE: list[tuple[str, str, dict[str, str], object, Cell, Cell, Cell]] = [
    ("GET", f"{API}/application-tokens", {}, None, OWNERS, OWNERS, OK),
    ("POST", f"{API}/application-tokens", {}, {"name": "x", "expiresIn": 1}, OWNERS, OWNERS, MADE),
    ("DELETE", f"{API}/application-tokens/{NO_TOKEN}", {}, None, OWNERS, OWNERS, UNKNOWN),
    ("GET", f"{SF}/orgs", {}, None, OK, OK, OK),
    ("GET", f"{SF}/orgs", {"includeSfdxAuthUrl": "true"}, None, NO_CREDENTIALS, URL, URL),
    ("HEAD", f"{SF}/org", CI, None, OK, OK, OK),
    ("HEAD", f"{SF}/org", CI | {"authType": "accessToken"}, None, Cell(403), OK, OK),  # no body, no code
    ("GET", f"{SF}/org", CI, None, OK, TOKEN, TOKEN),
    ("GET", f"{SF}/org", CI | {"authType": "accessToken"}, None, NO_CREDENTIALS, TOKEN, TOKEN),
    ("GET", f"{SF}/org", CI | {"authType": "sfdxAuthUrl"}, None, NO_CREDENTIALS, URL, URL),
    ("HEAD", f"{SF}/default-devhub", {}, None, OK, OK, OK),
    ("GET", f"{SF}/default-devhub", {}, None, OK, TOKEN, TOKEN),
    ("GET", f"{SF}/default-devhub", {"authType": "accessToken"}, None, NO_CREDENTIALS, TOKEN, TOKEN),
    ("GET", f"{SF}/default-devhub", {"authType": "sfdxAuthUrl"}, None, NO_CREDENTIALS, URL, URL),
    ("POST", f"{SF}/test-connection", CI, None, HOLDERS, OK, OK),
    ("POST", f"{SF}/access-token", CI, None, HOLDERS, TOKEN, TOKEN),
    ("POST", f"{SF}/default-devhub/access-token", {}, None, HOLDERS, TOKEN, TOKEN),
    ("POST", f"{SF}/register", {}, {"sfdxAuthUrl": "AUTH_URL"}, OWNERS, OWNERS, MADE),
    ("PATCH", f"{SF}/org", CI, {"metadata": {}}, OWNERS, OWNERS, OK),
    ("DELETE", f"{SF}/org", CI, None, OWNERS, OWNERS, Cell(409, "HAS_CHILDREN")),
    ("DELETE", f"{SF}/org", CI | {"cascade": "true"}, None, OWNERS, OWNERS, OK),
    (
        "POST",
        f"{SF}/register-sandbox-by-name",
        {},
        {"sandboxName": "dev1", "productionUsername": "ci@acme.example"},
        OWNERS,
        OWNERS,
        MADE,
    ),
    ("POST", f"{SF}/sandbox/authenticate", {}, {"sandboxName": "dev1"}, OPENED, OPENED, OPENED),
    (
        "POST",
        f"{SF}/scratch/authenticate",
        {},
        {"scratchOrgUsername": "s1@acme.example"},
        OPENED,
        OPENED_WITH_URL,
        OPENED_WITH_URL,
    ),
    ("GET", f"{SF}/frontdoor", {"target": "ci@acme.example"}, None, NO_FRONTDOOR, DOOR, DOOR),
    ("HEAD", f"{SF}/frontdoor", {"target": "ci@acme.example"}, None, Cell(403), OK, OK),
    ("GET", f"{SF}/frontdoor", {"target": "ci@acme.example", "redirect": "false"}, None, NO_FRONTDOOR, LINK, LINK),
    ("GET", f"{SF}/frontdoor", {"target": "dev1", "redirect": "false"}, None, LINK, LINK, LINK),
    ("GET", f"{SF}/frontdoor", {"target": "dev2", "repository": "acme/app"}, None, NOT_ASSIGNED, DOOR, DOOR),
    ("GET", f"{SF}/frontdoor", {"target": "s1@acme.example"}, None, DOOR, DOOR, DOOR),
    ("GET", f"{API}/pools/instances", {}, None, OK, OK, OK),
    (
        "POST",
        f"{API}/pools/instances",
        {},
        IN_POOL | QA | PARENT,
        OWNERS,
        OWNERS,
        MADE,
    ),
    ("DELETE", f"{API}/pools/instances", {"repository": "acme/app", "name": "dev2"}, None, OWNERS, OWNERS, OK),
    ("POST", f"{API}/pools/instances/fetch", {}, IN_POOL | {"assignmentId": "pr-1"}, HOLDERS, TOKEN, TOKEN),
    (
        "POST",
        f"{API}/pools/instances/unassign",
        {},
        {"repository": "acme/app", "assignmentId": "pr-1"},
        HOLDERS,
        NO_ASSIGNMENT,
        NO_ASSIGNMENT,
    ),
]
RELEASE_OFF = [
    ("GET", f"{SF}/orgs", {"includeSfdxAuthUrl": "true"}, None, NO_CREDENTIALS, OFF, OFF),
    ("GET", f"{SF}/org", CI | {"authType": "sfdxAuthUrl"}, None, NO_CREDENTIALS, OFF, OFF),
    ("GET", f"{SF}/default-devhub", {"authType": "sfdxAuthUrl"}, None, NO_CREDENTIALS, OFF, OFF),
]
REVOKED = [
    ("GET", f"{SF}/orgs", {}, None, OK, OK, OK),
    ("GET", f"{SF}/org", CI, None, OK, ERROR, ERROR),
    ("GET", f"{SF}/default-devhub", {}, None, OK, ERROR, ERROR),
    ("GET", f"{SF}/org", CI | {"authType": "accessToken"}, None, NO_CREDENTIALS, DEAD, DEAD),
    ("GET", f"{SF}/default-devhub", {"authType": "accessToken"}, None, NO_CREDENTIALS, DEAD, DEAD),
]


def label(row: Sequence[Any]) -> str:
    method, path, query, *_ = row
    return f"{method} {path.removeprefix(API)}{''.join(f' {name}={value}' for name, value in query.items())}"


def cells(rows, role):
    """Yield (method, path, query, body) and the expected response of a role, for each row."""
    place = 4 + ("member", "application", "owner").index(role)
    for row in rows:
        yield row[:4], row[place]


def send(caller: Caller, salesforce: Emulator, request) -> ApiResponse:
    method, path, query, body = request
    if body == {"sfdxAuthUrl": "AUTH_URL"}:
        body = {"sfdxAuthUrl": an_org(salesforce, "new@acme.example").auth_url()}
    return caller.send(method, path, body, query=query)


def _keys(response: ApiResponse) -> set[str]:
    """Return which of KEYS a response contains, of one org or of any in a list."""
    if not response.headers.get("Content-Type", "").startswith("application/json") or not response.content:
        return set()
    content = json.loads(response.content)
    return KEYS & {name for org in (content if isinstance(content, list) else [content]) for name in org}


def expect(response: ApiResponse, cell: Cell) -> None:
    assert response.status_code == cell.status, response
    assert _keys(response) == set(cell.keys.split())
    if cell.code:
        assert response.json()["code"] == cell.code
    if cell.message:
        assert response.json()["message"] == cell.message


def role_world(owner: Caller, salesforce: Emulator) -> Org:
    """The default DevHub, with a sandbox, a scratch org and a pool instance that are reached through it."""
    org = a_registered_org(owner, salesforce, "ci@acme.example", isDevHub=True, isDefault=True)
    salesforce.add_sandbox(org, "dev1")
    salesforce.add_sandbox(org, "dev2")
    salesforce.add_scratch_org(org, username="s1@acme.example", host="s1-dev-ed.scratch.my.salesforce.com")
    assert owner.post(f"{API}/pools/instances", IN_POOL | DEV2 | PARENT).status_code == 201
    return org

"""Records of sandboxes and scratch orgs in their production org and DevHub, and sandboxAuth."""

import json

from orgs.salesforce.emulator import error_texts
from orgs.salesforce.emulator.models import AuthorizationCode, Org, SandboxProcess, ScratchRecord, Session
from orgs.salesforce.emulator.soql import Row
from orgs.salesforce.emulator.state import State
from orgs.salesforce.emulator.wire import Request, Response, json_response, rest_error

# --- Records ---------------------------------------------------------------------------------------


def scratch_rows(session: Session) -> list[Row]:
    """Return the ScratchOrgInfo rows of a DevHub."""
    return [_scratch_row(record) for record in session.grant.user.org.scratch_records]


def active_scratch_rows(session: Session) -> list[Row]:
    """Return the ActiveScratchOrg rows of a DevHub."""
    return [
        {
            "Id": f"5SO{record.record_id[3:]}",
            "ScratchOrgInfoId": record.record_id,
            "ScratchOrg": record.org_id[:15],
            "SignupUsername": record.username,
            "ExpirationDate": record.expires,
        }
        for record in session.grant.user.org.scratch_records
        if record.status == "Active"
    ]


def sandbox_process_rows(session: Session) -> list[Row]:
    """Return the SandboxProcess rows of a production org, one for each creation and refresh."""
    return [_process_row(process) for process in session.grant.user.org.processes]


def sandbox_info_rows(session: Session) -> list[Row]:
    """Return the SandboxInfo rows of a production org, one for each sandbox."""
    newest = {process.sandbox_name.lower(): process for process in session.grant.user.org.processes}
    return [
        {
            "Id": f"0GQ{process.record_id[3:]}",
            "SandboxName": process.sandbox_name,
            "LicenseType": "DEVELOPER",
            "IsDeleted": process.status.startswith("D"),
        }
        for process in newest.values()
    ]


def _scratch_row(record: ScratchRecord) -> Row:
    return {
        "Id": record.record_id,
        "Status": record.status,
        "SignupUsername": record.username,
        "SignupEmail": record.username,
        "SignupInstance": "USA254S",
        "LoginUrl": record.login_url,
        "ScratchOrg": record.org_id[:15],
        "ExpirationDate": record.expires,
        "CreatedDate": _date(record.created),
        "Edition": "Developer",
        "OrgName": "Acme",
        **record.fields,
    }


def _process_row(process: SandboxProcess) -> Row:
    return {
        "Id": process.record_id,
        "Status": process.status,
        "SandboxName": process.sandbox_name,
        "SandboxInfoId": f"0GQ{process.record_id[3:]}",
        "SandboxOrganization": process.org_id[:15],
        "LicenseType": "DEVELOPER",
        "CopyProgress": 100 if process.status == "Completed" else 42,
        "CreatedDate": _date(process.created),
        "EndDate": _date(process.created) if process.status == "Completed" else None,
    }


def _date(number: int) -> str:
    return f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000+0000"


def change_record(state: State, session: Session, name: str, record_id: str, request: Request) -> Response:
    """Handle PATCH sobjects/ScratchOrgInfo/{id}: update custom fields of a record."""
    org = session.grant.user.org
    record = next((each for each in org.scratch_records if each.record_id[:15] == record_id[:15]), None)
    if name != "ScratchOrgInfo" or record is None:
        return rest_error(404, *error_texts.NOT_FOUND)
    content = _json(request)
    if not content or not set(content) <= set(record.fields):
        return rest_error(400, "INVALID_FIELD", "No such column on entity 'ScratchOrgInfo'.")
    if org.scratch_info_is_read_only:
        return rest_error(403, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
    with state.lock:
        record.fields |= {name: _text(value) for name, value in content.items()}
        state.changed()
    return Response(204)


# --- sandboxAuth -----------------------------------------------------------------------------------


def sandbox_auth(state: State, session: Session, request: Request) -> Response:
    """Handle POST tooling/sandboxAuth: issue a code for a sandbox to the user who created it."""
    sent = _json(request) if request.method == "POST" else {}
    user, org = session.grant.user, session.grant.user.org
    name, app = str(sent.get("sandboxName", "")).lower(), state.apps.get(str(sent.get("clientId", "")))
    known = [process for process in org.processes if process.sandbox_name.lower() == name]
    if org.kind != "production" or app is None or not known or known[-1].status.startswith("D"):
        return rest_error(404, *error_texts.SANDBOX_UNKNOWN)
    if known[-1].status != "Completed":
        return rest_error(400, *error_texts.SANDBOX_NOT_READY)
    sandbox = _sandbox_of(state, org, name)
    if sandbox is None:
        return rest_error(404, *error_texts.SANDBOX_UNKNOWN)
    if sandbox.creator != user.username:
        return rest_error(403, *error_texts.NOT_THE_CREATOR)
    with state.lock:
        code = state.new_secret("aPrx")
        state.codes[code] = AuthorizationCode(sandbox.users[0], app, str(sent.get("callbackUrl", "")))
    content = {
        "authUserName": sandbox.users[0].username,
        "authCode": code,
        "instanceUrl": sandbox.instance_url,
        "loginUrl": f"https://{sandbox.login_host}",
    }
    return json_response(200, content)


def _sandbox_of(state: State, parent: Org, name: str) -> Org | None:
    matches = (org for org in state.orgs if org.parent_host == parent.host and org.sandbox_name.lower() == name)
    return next(matches, None)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _json(request: Request) -> dict[str, object]:
    try:
        content = json.loads(request.body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}

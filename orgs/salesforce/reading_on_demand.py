"""Parses responses about sandboxes, scratch orgs and front-door links. Sends nothing."""

import re
from collections.abc import Mapping
from datetime import date
from urllib.parse import urlsplit

from orgs.salesforce import errors
from orgs.salesforce.hosts import MAX_INSTANCE_URL_LENGTH, ForeignHost, HostPolicy
from orgs.salesforce.ids import id_18, is_id
from orgs.salesforce.reading import MAX_USERNAME_LENGTH, text_of
from orgs.salesforce.results import SandboxCode, SandboxState, ScratchOrgRecord

_LINK = re.compile(r"[\x21-\x7e]{1,4096}", re.ASCII)
_CODE = re.compile(r"[\x21-\x7e]{1,2048}", re.ASCII)


def read_sandbox_code(content: object, hosts: HostPolicy, *, callback_url: str) -> SandboxCode:
    """Parse a response of sandboxAuth. Raises Unreadable, and Untrusted for a host that is not Salesforce's."""
    if not isinstance(content, dict):
        raise errors.Unreadable
    username, code = (
        text_of(content, "authUserName", limit=MAX_USERNAME_LENGTH),
        text_of(content, "authCode", limit=2048),
    )
    if not _CODE.fullmatch(code):
        raise errors.Unreadable
    try:
        login_url = hosts.instance_url(text_of(content, "loginUrl", limit=MAX_INSTANCE_URL_LENGTH))
        hosts.instance_url(text_of(content, "instanceUrl", limit=MAX_INSTANCE_URL_LENGTH))
    except ForeignHost as error:
        raise errors.Untrusted from error
    return SandboxCode(username, code, login_url, callback_url)


def read_sandbox_state(row: Mapping[str, object]) -> SandboxState:
    """Parse a SandboxProcess row. Raises Unreadable."""
    org_id = row.get("SandboxOrganization") or ""
    if not isinstance(org_id, str) or (org_id and not is_id(org_id, "00D")):
        raise errors.Unreadable
    return SandboxState(text_of(row, "SandboxName"), text_of(row, "Status"), org_id[:15])


def read_scratch_org(
    row: Mapping[str, object], *, auth_url_field: str = "", allocation_field: str = ""
) -> ScratchOrgRecord:
    """Parse a ScratchOrgInfo row. Raises Unreadable."""
    org_id, record_id = row.get("ScratchOrg") or "", text_of(row, "Id")
    if not isinstance(org_id, str) or (org_id and not is_id(org_id, "00D")) or not is_id(record_id, "2SR"):
        raise errors.Unreadable
    auth_url = row.get(auth_url_field) if auth_url_field else ""
    return ScratchOrgRecord(
        record_id=record_id,
        org_id=id_18(org_id) if org_id else "",
        username=text_of(row, "SignupUsername", limit=MAX_USERNAME_LENGTH),
        status=text_of(row, "Status"),
        expires=_date(row.get("ExpirationDate")),
        auth_url=_text(auth_url),
        allocation=_text(row.get(allocation_field)) if allocation_field else "",
    )


def read_one_time_link(content: object, hosts: HostPolicy, *, gateway: str) -> str:
    """Return the link of `singleaccess`. Raises Unreadable, and Untrusted for a host that is not Salesforce's.

    With the demo's `gateway`, only links to that address are trusted.
    """
    link = content.get("frontdoor_uri") if isinstance(content, dict) else None
    if not isinstance(link, str) or not _LINK.fullmatch(link) or "\\" in link:
        raise errors.Unreadable
    try:
        parts = urlsplit(link)
    except ValueError as error:
        raise errors.Unreadable from error
    if gateway:
        trusted = f"{parts.scheme}://{parts.netloc}" == gateway
    else:
        trusted = parts.scheme == "https" and parts.netloc == parts.hostname and hosts.admits(parts.netloc)
    if not trusted:
        raise errors.Untrusted
    return link


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None

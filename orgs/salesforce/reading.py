"""Parses Salesforce responses into results or errors. Sends nothing."""

import re
from collections.abc import Mapping
from typing import NoReturn
from unicodedata import category
from urllib.parse import urlsplit

from orgs.salesforce import errors
from orgs.salesforce.hosts import ForeignHost, HostPolicy
from orgs.salesforce.ids import id_18, is_id
from orgs.salesforce.refusals import (
    REVOCATION,
    is_dead_session,
    oauth_refusal,
    page_meaning,
    rest_refusal,
    shown_code,
)
from orgs.salesforce.results import Organization, Session, TokenResponse
from orgs.salesforce.transport import JSON, Response

_ID_PATH = re.compile(r"/id/([a-zA-Z0-9]{15,18})/([a-zA-Z0-9]{15,18})", re.ASCII)
MAX_TEXT_LENGTH = 255
MAX_USERNAME_LENGTH = 80
_EDGE_STATUSES = (502, 504)
_REFRESH_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}", re.ASCII)
# External Client Apps may issue JWTs of some kilobytes.
MAX_ACCESS_TOKEN_LENGTH = 16_384
_ACCESS_TOKEN = re.compile(rf"[\x21-\x7e]{{1,{MAX_ACCESS_TOKEN_LENGTH}}}", re.ASCII)


def read_token_response(response: Response, hosts: HostPolicy, *, grant: str, sent_token: str) -> TokenResponse:
    """Parse the token endpoint's response to a `grant` (refusals.py).

    Raises for a refusal, a temporary failure, a page, and a body that is not a JSON object. Any other
    error is in the result's `fault`, beside a refresh token that must not be lost.
    """
    content = _object(response) if response.status == 200 else _raise_oauth(response, grant)
    refresh_token = content.get("refresh_token")
    if not isinstance(refresh_token, str) or not _REFRESH_TOKEN.fullmatch(refresh_token) or refresh_token == sent_token:
        refresh_token = None
    try:
        if response.content_type != JSON:
            raise errors.Unreadable
        return TokenResponse(refresh_token, _session(content, hosts))
    except errors.SalesforceError as fault:
        if refresh_token is None:
            raise
        return TokenResponse(refresh_token, None, fault)


def read_revocation(response: Response) -> None:
    """Parse a response of the revoke endpoint. A token that had already ended counts as revoked.

    An HTML page does not, because what served it has not revoked anything.
    """
    if response.is_page:
        _raise_oauth(response, REVOCATION)
    if response.status == 200:
        return
    if response.status == 400 and response.content_type == JSON:
        content = response.json()
        if isinstance(content, dict) and content.get("error") == "invalid_token":
            return
    _raise_oauth(response, REVOCATION)


def read_rest(response: Response) -> object:
    """Return the JSON value of a REST response, None for 204. Raises what its status, page or errorCode means.

    A refused access token is recognised before any page is parsed: a proxy or Salesforce's edge may
    wrap that refusal in HTML, and then a refresh helps where waiting does not. An API limit and a
    deleted org are recognised by their status alone.
    """
    if _refuses_session(response):
        raise errors.SessionExpired
    if response.status == 429:
        raise errors.APILimitReached(retry_after=response.retry_after)
    if response.status == 420:
        raise errors.OrgGone
    _raise_page_or_server_error(response)
    if response.status == 204:
        return None
    if response.status < 300:
        return response.json()
    error_code, message = _rest_error(response)
    if meaning := rest_refusal(error_code, message):
        raise meaning(retry_after=response.retry_after)
    if response.status == 401:
        raise errors.SessionExpired
    raise errors.RequestRefused(error_code, response.status)


def read_organization(rows: list[Mapping[str, object]]) -> Organization:
    """Parse the one Organization row. Raises Unreadable."""
    if len(rows) != 1:
        raise errors.Unreadable
    row = rows[0]
    return Organization(
        instance_name=text_of(row, "InstanceName"),
        is_sandbox=row.get("IsSandbox") is True,
        trial_expiration=_trial_expiration(row),
        organization_type=text_of(row, "OrganizationType"),
    )


def _trial_expiration(row: Mapping[str, object]) -> str | None:
    value = row.get("TrialExpirationDate")
    return str(value) if value else None


def text_of(content: Mapping[str, object], key: str, limit: int = MAX_TEXT_LENGTH) -> str:
    """Return a one-line text field of a response.

    Raises Unreadable if it is missing, empty, not a string, or longer than `limit`; columns that store it
    are at least that wide.
    """
    value = content.get(key)
    if not isinstance(value, str) or not value or len(value) > limit or not _is_one_line(value):
        raise errors.Unreadable
    return value


def _is_one_line(text: str) -> bool:
    # str.isprintable() rejects every space but the ASCII one; Japanese names have wide ones.
    return all(character.isprintable() or category(character) == "Zs" for character in text)


def records_of(content: object) -> list[Mapping[str, object]]:
    """Return the records of a query response. Raises Unreadable."""
    records = content.get("records") if isinstance(content, dict) else None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise errors.Unreadable
    return records


def _object(response: Response) -> dict[str, object]:
    if response.is_page:
        raise page_meaning(response.body) or errors.Garbled(detail=_foreign_page(response))
    try:
        content = response.json(any_content_type=True)
    except errors.Unreadable as error:
        raise errors.Garbled from error
    if not isinstance(content, dict):
        raise errors.Garbled
    return content


def _session(content: dict[str, object], hosts: HostPolicy) -> Session:
    access_token, url = content.get("access_token"), content.get("instance_url")
    if not isinstance(url, str) or not isinstance(access_token, str) or not _ACCESS_TOKEN.fullmatch(access_token):
        raise errors.Unreadable
    org_id, user_id = _identity_ids(content.get("id"), hosts)
    try:
        instance_url = hosts.instance_url(url)
    except ForeignHost as error:
        raise errors.Untrusted from error
    return Session(access_token, instance_url, org_id, user_id)


def _identity_ids(identity: object, hosts: HostPolicy) -> tuple[str, str]:
    """Return org id and user id from the `id` URL, which must be on a Salesforce host."""
    if not isinstance(identity, str):
        raise errors.Unreadable
    try:
        parts = urlsplit(identity)
    except ValueError as error:
        raise errors.Unreadable from error
    match = _ID_PATH.fullmatch(parts.path)
    if parts.scheme != "https" or parts.netloc != parts.hostname or not hosts.admits(parts.netloc):
        raise errors.Untrusted
    if match is None or not is_id(match[1], "00D") or not is_id(match[2], "005"):
        raise errors.Unreadable
    return id_18(match[1]), id_18(match[2])


def _refuses_session(response: Response) -> bool:
    """Return True if the response refuses the access token, in plain text, JSON or as a page.

    A 401 that is not a page is left to its errorCode, which may name another reason.
    """
    return is_dead_session(response.body) if response.status == 403 else response.status == 401 and response.is_page


def _raise_oauth(response: Response, grant: str) -> NoReturn:
    if response.status == 429:
        raise errors.LoginRateExceeded(retry_after=response.retry_after)
    _raise_page_or_server_error(response)
    content = response.json()
    if not isinstance(content, dict) or not isinstance(content.get("error"), str):
        raise errors.Unreadable
    meaning = oauth_refusal(content["error"], str(content.get("error_description") or ""), grant=grant)
    code = shown_code(content["error"]) if meaning is errors.UnknownRefusal else ""
    raise meaning(retry_after=response.retry_after, detail=errors.named_error(code) if code else "")


def _raise_page_or_server_error(response: Response) -> None:
    if response.status in _EDGE_STATUSES:
        raise (errors.TimedOut if response.status == 504 else errors.EdgeFailed)(retry_after=response.retry_after)
    if response.status == 503:
        raise errors.Maintenance(retry_after=response.retry_after)
    if response.is_page:
        meaning = page_meaning(response.body)
        if response.status >= 500 and meaning in (errors.NotReady, None):
            meaning = errors.ServerError
        if meaning is None:
            raise errors.Unreadable(detail=_foreign_page(response))
        raise meaning(retry_after=response.retry_after)
    if response.status >= 500:
        raise errors.ServerError(retry_after=response.retry_after)


def _foreign_page(response: Response) -> str:
    return (
        f"The response is an HTML page with status {response.status} that Salesforce does not serve: "
        "a proxy or firewall may have sent it."
    )


def _rest_error(response: Response) -> tuple[str, str]:
    """Return errorCode and message of a REST error list, "UNKNOWN" without an errorCode."""
    try:
        content = response.json()
    except errors.Unreadable:
        return "UNKNOWN", ""
    first = content[0] if isinstance(content, list) and content else content
    if not isinstance(first, dict):
        return "UNKNOWN", ""
    code, message = first.get("errorCode"), first.get("message")
    is_word = isinstance(code, str) and re.fullmatch(r"[A-Z][A-Z0-9_]{1,79}", code)
    return str(code) if is_word else "UNKNOWN", message if isinstance(message, str) else ""

"""Builds the responses of the Orgs group: an org, and the credential returned with it."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_204_NO_CONTENT

from authn.principals import Principal
from authn.web.prefetch import is_prefetch
from orgs import credential_release
from orgs.credentials.errors import OrgError
from orgs.errors import CredentialsForbidden
from orgs.lookup import find_org
from orgs.models import SalesforceOrg
from orgs.org_sessions import issue_access_token
from orgs.serializers import (
    AuthErrorDto,
    SalesforceConnectionTestResponseDto,
    SalesforceOrgListItemDto,
)


def is_head(request: Request) -> bool:
    """Return True for a HEAD request, which never refreshes a credential."""
    return request.method == "HEAD"


def org_response(request: Request, load_org: Callable[[], SalesforceOrg], auth_type: str | None) -> Response:
    """Return an org, with the requested credential if the principal may hold credentials.

    Raises CredentialsForbidden if `auth_type` is set and the principal may not.
    """
    by = Principal.of(request)
    if auth_type and not by.may_hold_credentials:
        raise CredentialsForbidden
    if is_prefetch(request):
        return Response(status=HTTP_204_NO_CONTENT)
    org = load_org()
    credentials: dict[str, object] = {}
    headers: dict[str, str] = {}
    if by.may_hold_credentials and not is_head(request):
        credentials = _credentials(org, by, auth_type, headers)
        org = find_org(org.username)  # The refresh updated the health, and possibly the instance URL.
    return Response(SalesforceOrgListItemDto(org).data | credentials, headers=headers)


def _credentials(
    org: SalesforceOrg, by: Principal, auth_type: str | None, headers: dict[str, str]
) -> dict[str, object]:
    if auth_type == "sfdxAuthUrl":
        return {"sfdxAuthUrl": credential_release.auth_url(org, by=by)}
    try:
        issued = issue_access_token(org, by=by)
        headers.update(token_source_header(issued.reused))
        return {"accessToken": issued.session.access_token}
    except OrgError as error:
        if auth_type:
            raise
        return {"authError": AuthErrorDto({"code": error.code, "message": str(error), "action": error.action}).data}


def token_source_header(reused: bool) -> dict[str, str]:
    """Return the header that marks a token as reused because the login budget is spent; none for a fresh token."""
    return {"X-Token-Source": "reuse"} if reused else {}


def connection_test_response(org: SalesforceOrg, error: OrgError | None) -> Response:
    """Return the result of a connection test."""
    content: dict[str, object] = {"isValid": error is None, "username": org.username}
    if error is None:
        content |= {
            "orgId": org.org_id,
            "organizationType": org.organization_type,
            "instanceName": org.instance_name,
        }
    else:
        content |= {"error": str(error), "code": error.code, "action": error.action}
    return Response(SalesforceConnectionTestResponseDto(content).data)


def present(orgs: list[SalesforceOrg], *, by: Principal, with_urls: bool) -> list[dict[str, object]]:
    """Return the list items of a block of orgs, with the auth URLs that may be released if `with_urls`."""
    shown: list[dict[str, object]] = [dict(SalesforceOrgListItemDto(org).data) for org in orgs]
    urls = credential_release.auth_urls(orgs, by=by) if with_urls else {}
    for org, content in zip(orgs, shown, strict=True):
        if org.pk in urls:
            content["sfdxAuthUrl"] = urls[org.pk]
    return shown


def next_page_header(request: Request, rows: list[SalesforceOrg]) -> dict[str, str]:
    """Return the `Link` header to the page after these rows."""
    query = {name: value for name, value in request.query_params.items() if name != "after"}
    # From PUBLIC_URL: the Host header is set by the caller.
    address = f"{settings.PUBLIC_URL}{request.path}?{urlencode({**query, 'after': rows[-1].username})}"
    return {"Link": f'<{address}>; rel="next"'}

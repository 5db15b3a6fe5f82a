"""Builds the answers of the Orgs group: what is shown of an org, and the key that goes with it."""

from collections.abc import Callable
from typing import Any
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
from orgs.serializers import (
    AccessTokenResponseDto,
    AuthErrorDto,
    SalesforceConnectionTestResponseDto,
    SalesforceOrgListItemDto,
)


def is_head(request: Request) -> bool:
    """Tell a HEAD, which asks whether something is there, from a request for a key."""
    return request.method == "HEAD"


def org_response(request: Request, load_org: Callable[[], SalesforceOrg], auth_type: str | None) -> Response:
    """Answer an org with the credential that was asked for, where this actor may have one."""
    by = Principal.of(request)
    if auth_type and not by.may_hold_credentials:
        raise CredentialsForbidden
    if is_prefetch(request):
        return Response(status=HTTP_204_NO_CONTENT)
    org = load_org()
    credentials: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if by.may_hold_credentials and not is_head(request):
        credentials = _credentials(org, by, auth_type, headers)
        org = find_org(org.username)  # What came of it shows in the health, and the org may have moved.
    return Response(SalesforceOrgListItemDto(org).data | credentials, headers=headers)


def _credentials(org: SalesforceOrg, by: Principal, auth_type: str | None, headers: dict[str, str]) -> dict[str, Any]:
    if auth_type == "sfdxAuthUrl":
        return {"sfdxAuthUrl": credential_release.auth_url(org, by=by)}
    try:
        opened = credential_release.access_token(org, by=by)
        headers.update(token_source_header(opened.reused))
        return {"accessToken": opened.session.access_token}
    except OrgError as error:
        if auth_type:
            raise
        return {"authError": AuthErrorDto({"code": error.code, "message": str(error), "action": error.action}).data}


def token_response(request: Request, org: SalesforceOrg) -> Response:
    """Answer a fresh access token of an org, or say in a header that it is not fresh."""
    opened = credential_release.access_token(org, by=Principal.of(request))
    session = opened.session
    content = {
        "accessToken": session.access_token,
        "instanceUrl": session.instance_url,
        "username": org.username,
        "orgId": session.org_id,
        "isDevHub": org.is_dev_hub,
    }
    return Response(AccessTokenResponseDto(content).data, headers=token_source_header(opened.reused))


def token_source_header(reused: bool) -> dict[str, str]:
    """Return the header that says of a token that it is not fresh, to spare the login budget."""
    return {"X-Token-Source": "reuse"} if reused else {}


def connection_test_response(org: SalesforceOrg, error: OrgError | None) -> Response:
    """Answer whether a stored credential works."""
    content: dict[str, Any] = {"isValid": error is None, "username": org.username}
    if error is None:
        content |= {
            "orgId": org.org_id,
            "organizationType": org.organization_type,
            "instanceName": org.instance_name,
        }
    else:
        content |= {"error": str(error), "code": error.code, "action": error.action}
    return Response(SalesforceConnectionTestResponseDto(content).data)


def present(orgs: list[SalesforceOrg], *, by: Principal, with_urls: bool) -> list[dict[str, Any]]:
    """Return what a list shows of a block of orgs, with the auth URLs of those that have one to give."""
    shown: list[dict[str, Any]] = [dict(SalesforceOrgListItemDto(org).data) for org in orgs]
    urls = credential_release.auth_urls(orgs, by=by) if with_urls else {}
    for org, content in zip(orgs, shown, strict=True):
        if org.pk in urls:
            content["sfdxAuthUrl"] = urls[org.pk]
    return shown


def next_page_header(request: Request, rows: list[SalesforceOrg]) -> dict[str, str]:
    """Return the header that leads to the page after these rows."""
    query = {name: value for name, value in request.query_params.items() if name != "after"}
    # By our own name: a Host header is the caller's word.
    address = f"{settings.PUBLIC_URL}{request.path}?{urlencode({**query, 'after': rows[-1].username})}"
    return {"Link": f'<{address}>; rel="next"'}

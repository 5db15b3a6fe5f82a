"""The Orgs group of the API: registered orgs and their credentials."""

from functools import partial
from typing import TypedDict, cast

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED
from rest_framework.viewsets import ViewSet

from authn.openapi import documented
from authn.permissions import MembersAndApplications, OwnersAndApplications, OwnersOnly, PermissionsByMethod
from authn.principals import Principal
from authn.serializers import QueryForm
from orgs import credential_release, listing, responses
from orgs.connections.check import check_connection
from orgs.deletion import delete_org
from orgs.lookup import default_dev_hub, find_org
from orgs.metadata import FilterPair
from orgs.models import SalesforceOrg, SalesforceOrgQuerySet
from orgs.org_sessions import issue_access_token
from orgs.permissions import ORG_PERMISSIONS
from orgs.registration import Registration, register
from orgs.serializers import (
    AccessTokenResponseDto,
    AuthTypeQuery,
    DeletionQuery,
    ListQuery,
    OrgQuery,
    SalesforceConnectionTestResponseDto,
    SalesforceOrgDto,
    SalesforceOrgListItemDto,
    SalesforceOrgRegistrationDto,
    SalesforceOrgUpdateDto,
    UsernameQuery,
)
from orgs.update import update_org

# Error statuses of routes that get a session from Salesforce.
_UPSTREAM = (409, 410, 429, 502, 503, 504)
# The same without 410. Registration reports a deleted org as invalid input (400), and deletion ignores it.
_WITHOUT_GONE = (409, 429, 502, 503, 504)


@extend_schema(tags=["Orgs"])
class SalesforceOrgViewSet(PermissionsByMethod, ViewSet):
    """`/sfp/api/auth/salesforce/...`: one method for each documented operation."""

    permissions = ORG_PERMISSIONS

    @extend_schema(
        operation_id="SalesforceAuthController_listOrgs",
        summary="List registered orgs",
        description='Streams all orgs. With `limit`, returns one page and, if more follow, `Link: <...>; rel="next"`.',
        parameters=[ListQuery],
        responses=documented(SalesforceOrgListItemDto(many=True), 400, 401, (403, MembersAndApplications)),
    )
    def list(self, request: Request) -> HttpResponseBase:
        """Return registered orgs, streamed or as one page."""
        params, by = ListQuery.read(request), Principal.of(request)
        with_urls = params["includeSfdxAuthUrl"]
        if with_urls:
            credential_release.require_release_allowed(by)
        present = partial(responses.present, by=by, with_urls=with_urls and request.method != "HEAD")
        orgs, after = _filtered(cast(_Filters, params)), params.get("after", "")
        if "limit" not in params:
            content = listing.stream(orgs, after=after, present=present)
            return StreamingHttpResponse(content, content_type="application/json")
        rows, more = listing.page(orgs, after=after, limit=params["limit"])
        return Response(present(rows), headers=responses.next_page_header(request, rows) if more else None)

    @extend_schema(
        operation_id="SalesforceAuthController_getOrg",
        summary="Get a registered org",
        description=(
            "Owners and application tokens get an access token with it. If no access token is available and "
            "`authType` is omitted, the response contains `authError` instead. HEAD does not refresh the credential."
        ),
        parameters=[OrgQuery],
        responses=documented(SalesforceOrgListItemDto, 204, 400, 401, (403, MembersAndApplications), 404, *_UPSTREAM),
    )
    def retrieve(self, request: Request) -> Response:
        """Return a registered org with the requested credential."""
        params = OrgQuery.read(request)
        return responses.org_response(request, partial(find_org, params["username"]), params.get("authType"))

    @extend_schema(
        operation_id="SalesforceAuthController_updateOrg",
        summary="Update a registered org",
        description=(
            "Changes the DevHub flag, the default DevHub and the metadata, without a call to Salesforce. An org that "
            "is not a DevHub any longer is not the default DevHub either: then the response has `warnings`."
        ),
        parameters=[UsernameQuery],
        request=SalesforceOrgUpdateDto,
        responses=documented(SalesforceOrgDto, 400, 401, (403, OwnersOnly), 404, 409),
    )
    def partial_update(self, request: Request) -> Response:
        """Update an org."""
        identifier = _identifier(request)
        form = SalesforceOrgUpdateDto(data=request.data)
        form.is_valid(raise_exception=True)
        org = update_org(find_org(identifier), form.validated_data, by=Principal.of(request))
        return Response(SalesforceOrgDto(org).data)

    @extend_schema(
        operation_id="SalesforceAuthController_deleteOrg",
        summary="Delete a registered org and its credential",
        parameters=[DeletionQuery],
        responses=documented(None, 400, 401, (403, OwnersOnly), 404, *_WITHOUT_GONE, ok="Organization deleted"),
    )
    def destroy(self, request: Request) -> Response:
        """Delete an org and its credential."""
        params = DeletionQuery.read(request)
        delete_org(find_org(params.pop("username")), by=Principal.of(request), **params)
        return Response()

    @extend_schema(
        operation_id="SalesforceAuthController_registerOrg",
        summary="Register an org, or renew its registration",
        description=(
            "Validates the auth URL with Salesforce before anything is stored. Get the auth URL with "
            "`sf org auth show-sfdx-auth-url -o <alias> --json`."
        ),
        request=SalesforceOrgRegistrationDto,
        responses=documented(SalesforceOrgDto, 400, 401, (403, OwnersOnly), *_WITHOUT_GONE, status=201),
    )
    def register(self, request: Request) -> Response:
        """Register an org, or renew its registration."""
        QueryForm.read(request)
        form = SalesforceOrgRegistrationDto(data=request.data)
        form.is_valid(raise_exception=True)
        org = register(Registration(**form.validated_data), by=Principal.of(request))
        return Response(SalesforceOrgDto(org).data, status=HTTP_201_CREATED)

    @extend_schema(
        operation_id="SalesforceAuthController_testConnection",
        summary="Test the stored credential of a registered org",
        description=(
            "Returns 200 for every registered org; `isValid` is the result. "
            "A successful test verifies an org that was registered without validation."
        ),
        parameters=[UsernameQuery],
        request=None,
        responses=documented(SalesforceConnectionTestResponseDto, 400, 401, (403, OwnersAndApplications), 404, 409),
    )
    def test_connection(self, request: Request) -> Response:
        """Test the stored credential of an org."""
        verdict = check_connection(find_org(_identifier(request)), by=Principal.of(request))
        return responses.connection_test_response(verdict.org, verdict.error)

    @extend_schema(
        operation_id="SalesforceAuthController_getDefaultDevHub",
        summary="Get the default DevHub",
        description="The response is that of getting an org, `authType` included.",
        parameters=[AuthTypeQuery],
        responses=documented(SalesforceOrgListItemDto, 204, 400, 401, (403, MembersAndApplications), 404, *_UPSTREAM),
    )
    def default_dev_hub(self, request: Request) -> Response:
        """Return the default DevHub with the requested credential."""
        auth_type = AuthTypeQuery.read(request).get("authType")
        return responses.org_response(request, default_dev_hub, auth_type)

    @extend_schema(
        operation_id="SalesforceAuthController_generateAccessToken",
        summary="Get a fresh access token for a registered org",
        description=(
            "Issued by Salesforce after the request began, unless the response has `X-Token-Source: reuse`. "
            "Salesforce does not report an expiry; expect one to two hours."
        ),
        parameters=[UsernameQuery],
        request=None,
        responses=documented(AccessTokenResponseDto, 400, 401, (403, OwnersAndApplications), 404, *_UPSTREAM),
    )
    def access_token(self, request: Request) -> Response:
        """Return a fresh access token for an org."""
        return _token_response(request, find_org(_identifier(request)))

    @extend_schema(
        operation_id="SalesforceAuthController_generateDefaultDevHubAccessToken",
        summary="Get a fresh access token for the default DevHub",
        request=None,
        responses=documented(AccessTokenResponseDto, 401, (403, OwnersAndApplications), 404, *_UPSTREAM),
    )
    def default_dev_hub_access_token(self, request: Request) -> Response:
        """Return a fresh access token for the default DevHub."""
        QueryForm.read(request)
        return _token_response(request, default_dev_hub())


# --- Requests and responses ------------------------------------------------------------------------------


class _Filters(TypedDict, total=False):
    """The filters of ListQuery."""

    type: str
    devhub: bool
    metadata: list[FilterPair]


def _identifier(request: Request) -> str:
    identifier: str = UsernameQuery.read(request)["username"]
    return identifier


def _filtered(filters: _Filters) -> SalesforceOrgQuerySet:
    orgs = SalesforceOrg.objects.all()
    if "type" in filters:
        orgs = orgs.of_type(filters["type"])
    if filters.get("devhub"):
        orgs = orgs.filter(is_dev_hub=True)
    return orgs.with_metadata(filters["metadata"]) if "metadata" in filters else orgs


def _token_response(request: Request, org: SalesforceOrg) -> Response:
    """Return a fresh access token of an org, or a reused one with the header that says so."""
    issued = issue_access_token(org, by=Principal.of(request))
    session = issued.session
    content = {
        "accessToken": session.access_token,
        "instanceUrl": session.instance_url,
        "username": org.username,
        "orgId": session.org_id,
        "isDevHub": org.is_dev_hub,
    }
    return Response(AccessTokenResponseDto(content).data, headers=responses.token_source_header(issued.reused))

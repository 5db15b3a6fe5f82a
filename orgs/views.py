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

from authn.openapi import PREFETCH, documented
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


@extend_schema(tags=["Orgs"])
class SalesforceOrgViewSet(PermissionsByMethod, ViewSet):
    """`/sfp/api/auth/salesforce/...`: one method for each documented operation."""

    permissions = ORG_PERMISSIONS

    @extend_schema(
        operation_id="SalesforceAuthController_listOrgs",
        summary="List registered orgs",
        description='Streams all orgs. With `limit`, returns one page and, if more follow, `Link: <...>; rel="next"`.',
        parameters=[ListQuery],
        responses=documented(SalesforceOrgListItemDto(many=True), MembersAndApplications, ok="The registered orgs"),
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
        responses=documented(SalesforceOrgListItemDto, MembersAndApplications, ok="The org") | PREFETCH,
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
        responses=documented(SalesforceOrgDto, OwnersOnly, ok="The updated org"),
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
        description=(
            "Deletes the org on this desk, not at Salesforce. An org through which others are reached is deleted "
            "with `cascade=true` only."
        ),
        parameters=[DeletionQuery],
        responses=documented(None, OwnersOnly, ok="Organization deleted"),
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
        responses=documented(SalesforceOrgDto, OwnersOnly, status=201, ok="The registered org"),
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
        responses=documented(SalesforceConnectionTestResponseDto, OwnersAndApplications, ok="The result of the test"),
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
        responses=documented(SalesforceOrgListItemDto, MembersAndApplications, ok="The default DevHub") | PREFETCH,
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
        responses=documented(AccessTokenResponseDto, OwnersAndApplications, ok="The access token"),
    )
    def access_token(self, request: Request) -> Response:
        """Return a fresh access token for an org."""
        return _token_response(request, find_org(_identifier(request)))

    @extend_schema(
        operation_id="SalesforceAuthController_generateDefaultDevHubAccessToken",
        summary="Get a fresh access token for the default DevHub",
        description="The response is that of getting an access token for a registered org.",
        request=None,
        responses=documented(AccessTokenResponseDto, OwnersAndApplications, ok="The access token"),
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

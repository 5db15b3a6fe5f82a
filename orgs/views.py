"""The Orgs group of the API: registered orgs and the keys to them. Parse, call, render."""

from functools import partial
from typing import Any, ClassVar

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED
from rest_framework.viewsets import ViewSet

from authn.openapi import answers as documented
from authn.permissions import MembersAndApplications, OwnersAndApplications, OwnersOnly, RequiresRole
from authn.principals import Principal
from orgs import credential_release, listing, responses
from orgs.connection_check import check_connection
from orgs.deletion import delete_org
from orgs.lookup import default_dev_hub, find_org
from orgs.models import SalesforceOrg
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

# How a route ends that asks Salesforce for a session.
_UPSTREAM = (409, 410, 429, 502, 503, 504)
# Where an org that is gone is a 400, as it is the caller who brings it, or nothing to complain of.
_WITHOUT_GONE = (409, 429, 502, 503, 504)


@extend_schema(tags=["Orgs"])
class SalesforceOrgViewSet(ViewSet):
    """`/sfp/api/auth/salesforce/...`: one method for each documented operation."""

    # Which roles may call which method: design section 5, row by row.
    permissions: ClassVar[dict[str, type[RequiresRole]]] = {
        "list": MembersAndApplications,
        "retrieve": MembersAndApplications,
        "default_dev_hub": MembersAndApplications,
        "test_connection": OwnersAndApplications,
        "access_token": OwnersAndApplications,
        "default_dev_hub_access_token": OwnersAndApplications,
        "register": OwnersOnly,
        "partial_update": OwnersOnly,
        "destroy": OwnersOnly,
    }

    def get_permissions(self) -> list[Any]:
        """Return the permission of the method that is called; owners only for any other."""
        return [self.permissions.get(self.action or "", OwnersOnly)()]

    @extend_schema(
        operation_id="SalesforceAuthController_listOrgs",
        summary="List registered orgs",
        description='The whole list, streamed; or a page of it, with `limit`, and `Link: <...>; rel="next"`.',
        parameters=[ListQuery],
        responses=documented(SalesforceOrgListItemDto(many=True), 400, 401, (403, MembersAndApplications)),
    )
    def list(self, request: Request) -> HttpResponseBase:
        """List registered orgs."""
        query = ListQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted, by = query.validated_data, Principal.of(request)
        with_urls = wanted["includeSfdxAuthUrl"]
        if with_urls:
            credential_release.require_release_allowed(by)
        present = partial(responses.present, by=by, with_urls=with_urls and request.method != "HEAD")
        orgs, after = _filtered(wanted), wanted.get("after", "")
        if "limit" not in wanted:
            content = listing.stream(orgs, after=after, present=present)
            return StreamingHttpResponse(content, content_type="application/json")
        rows, more = listing.page(orgs, after=after, limit=wanted["limit"])
        return Response(present(rows), headers=responses.next_page_header(request, rows) if more else None)

    @extend_schema(
        operation_id="SalesforceAuthController_getOrg",
        summary="Get a registered org",
        description=(
            "With an access token for owners and applications. If none can be had and `authType` was not sent, "
            "the answer holds `authError` in its place. HEAD mints nothing."
        ),
        parameters=[OrgQuery],
        responses=documented(SalesforceOrgListItemDto, 204, 400, 401, (403, MembersAndApplications), 404, *_UPSTREAM),
    )
    def retrieve(self, request: Request) -> Response:
        """Get a registered org, with the credential that was asked for."""
        query = OrgQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted = query.validated_data
        return responses.org_response(request, partial(find_org, wanted["username"]), wanted.get("authType"))

    @extend_schema(
        operation_id="SalesforceAuthController_updateOrg",
        summary="Change what is said of a registered org",
        description="DevHub, default and metadata. Salesforce is not asked.",
        parameters=[UsernameQuery],
        request=SalesforceOrgUpdateDto,
        responses=documented(SalesforceOrgDto, 400, 401, (403, OwnersOnly), 404, 409),
    )
    def partial_update(self, request: Request) -> Response:
        """Change what is said of an org."""
        identifier = _identifier(request)
        form = SalesforceOrgUpdateDto(data=request.data)
        form.is_valid(raise_exception=True)
        org = update_org(find_org(identifier), by=Principal.of(request), **form.validated_data)
        return Response(SalesforceOrgDto(org).data)

    @extend_schema(
        operation_id="SalesforceAuthController_deleteOrg",
        summary="Delete a registered org and its credential",
        parameters=[DeletionQuery],
        responses=documented(None, 400, 401, (403, OwnersOnly), 404, *_WITHOUT_GONE, ok="Organization deleted"),
    )
    def destroy(self, request: Request) -> Response:
        """Delete an org."""
        query = DeletionQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted = dict(query.validated_data)
        delete_org(find_org(wanted.pop("username")), by=Principal.of(request), **wanted)
        return Response()

    @extend_schema(
        operation_id="SalesforceAuthController_registerOrg",
        summary="Register an org, or register it anew",
        description=(
            "Asks Salesforce before anything is stored. Get the auth URL with "
            "`sf org auth show-sfdx-auth-url -o <alias> --json`."
        ),
        request=SalesforceOrgRegistrationDto,
        responses=documented(SalesforceOrgDto, 400, 401, (403, OwnersOnly), *_WITHOUT_GONE, status=201),
    )
    def register(self, request: Request) -> Response:
        """Register an org."""
        form = SalesforceOrgRegistrationDto(data=request.data)
        form.is_valid(raise_exception=True)
        org = register(Registration(**form.validated_data), by=Principal.of(request))
        return Response(SalesforceOrgDto(org).data, status=HTTP_201_CREATED)

    @extend_schema(
        operation_id="SalesforceAuthController_testConnection",
        summary="Test the stored credential of a registered org",
        description="200 for every registered org; `isValid` tells. An org that was never verified is verified by it.",
        parameters=[UsernameQuery],
        request=None,
        responses=documented(SalesforceConnectionTestResponseDto, 400, 401, (403, OwnersAndApplications), 404, 409),
    )
    def test_connection(self, request: Request) -> Response:
        """Test a stored credential."""
        verdict = check_connection(find_org(_identifier(request)), by=Principal.of(request))
        return responses.connection_test_response(verdict.org, verdict.error)

    @extend_schema(
        operation_id="SalesforceAuthController_getDefaultDevHub",
        summary="Get the default DevHub",
        description="Answers as for any org, `authType` included.",
        parameters=[AuthTypeQuery],
        responses=documented(SalesforceOrgListItemDto, 204, 400, 401, (403, MembersAndApplications), 404, *_UPSTREAM),
    )
    def default_dev_hub(self, request: Request) -> Response:
        """Get the default DevHub, with the credential that was asked for."""
        query = AuthTypeQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        return responses.org_response(request, default_dev_hub, query.validated_data.get("authType"))

    @extend_schema(
        operation_id="SalesforceAuthController_generateAccessToken",
        summary="Get a fresh access token for a registered org",
        description="Minted after the request began. Salesforce tells no expiry; expect one to two hours.",
        parameters=[UsernameQuery],
        request=None,
        responses=documented(AccessTokenResponseDto, 400, 401, (403, OwnersAndApplications), 404, *_UPSTREAM),
    )
    def access_token(self, request: Request) -> Response:
        """Get a fresh access token."""
        return responses.token_response(request, find_org(_identifier(request)))

    @extend_schema(
        operation_id="SalesforceAuthController_generateDefaultDevHubAccessToken",
        summary="Get a fresh access token for the default DevHub",
        request=None,
        responses=documented(AccessTokenResponseDto, 401, (403, OwnersAndApplications), 404, *_UPSTREAM),
    )
    def default_dev_hub_access_token(self, request: Request) -> Response:
        """Get a fresh access token for the default DevHub."""
        return responses.token_response(request, default_dev_hub())


# --- Reading requests ------------------------------------------------------------------------------


def _identifier(request: Request) -> str:
    query = UsernameQuery(data=request.query_params)
    query.is_valid(raise_exception=True)
    identifier: str = query.validated_data["username"]
    return identifier


def _filtered(wanted: dict[str, Any]) -> Any:
    orgs = SalesforceOrg.objects.all()
    if "type" in wanted:
        orgs = orgs.of_type(wanted["type"])
    if wanted.get("devhub"):
        orgs = orgs.filter(is_dev_hub=True)
    return orgs.with_metadata(wanted["metadata"]) if "metadata" in wanted else orgs

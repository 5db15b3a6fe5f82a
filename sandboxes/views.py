"""The API of on-demand access, front-door links and pools."""

from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from authn.openapi import PREFETCH, documented
from authn.permissions import MembersAndApplications, OwnersAndApplications, OwnersOnly, PermissionsByMethod
from authn.principals import Principal
from authn.serializers import QueryForm
from authn.web.prefetch import is_prefetch
from orgs.responses import is_head, token_source_header
from orgs.serializers import SalesforceOrgDto
from sandboxes.frontdoor import FrontdoorRequest, create_link, resolve
from sandboxes.models import PoolInstance
from sandboxes.on_demand.authentication import OnDemandOrg, authenticate_sandbox, authenticate_scratch_org
from sandboxes.on_demand.registration import register_sandbox
from sandboxes.permissions import POOL_PERMISSIONS
from sandboxes.pools import assignment, stock
from sandboxes.pools.serializers import (
    AddedInstanceDto,
    FetchedInstanceDto,
    PoolFetchDto,
    PoolInstanceCreateDto,
    PoolInstanceDto,
    PoolInstanceQuery,
    PoolInstancesDto,
    PoolListQuery,
    PoolUnassignDto,
)
from sandboxes.serializers import (
    FrontdoorDto,
    FrontdoorQuery,
    SandboxAuthRequestDto,
    SandboxAuthResponseDto,
    SandboxRegistrationByNameDto,
    ScratchOrgAuthRequestDto,
    ScratchOrgAuthResponseDto,
)


class SandboxRegistrationView(APIView):
    """`POST /sfp/api/auth/salesforce/register-sandbox-by-name`."""

    permission_classes = (OwnersOnly,)

    @extend_schema(
        operation_id="SalesforceAuthController_registerSandboxByName",
        summary="Register a sandbox by its name",
        description=(
            "Its credential is obtained through its production org, for the user who created or last refreshed the "
            "sandbox, and obtained again after each sandbox refresh. It need not be registered again."
        ),
        tags=["Orgs"],
        request=SandboxRegistrationByNameDto,
        responses=documented(SalesforceOrgDto, OwnersOnly, status=201, ok="The registered sandbox"),
    )
    def post(self, request: Request) -> Response:
        """Register a sandbox by its name."""
        QueryForm.read(request)
        form = SandboxRegistrationByNameDto(data=request.data)
        form.is_valid(raise_exception=True)
        org = register_sandbox(by=Principal.of(request), **form.validated_data)
        return Response(SalesforceOrgDto(org).data, status=HTTP_201_CREATED)


class SandboxAuthView(APIView):
    """`POST /sfp/api/auth/salesforce/sandbox/authenticate`."""

    permission_classes = (MembersAndApplications,)

    @extend_schema(
        operation_id="SandboxAuthController_authenticateSandbox",
        summary="Get an access token for a sandbox that is not registered",
        description=(
            "Uses its production org. If `productionUsername` is omitted, all registered production orgs are searched."
        ),
        tags=["Orgs"],
        request=SandboxAuthRequestDto,
        responses=documented(SandboxAuthResponseDto, MembersAndApplications, status=201, ok="A session of the sandbox"),
    )
    def post(self, request: Request) -> Response:
        """Return a session of a sandbox."""
        QueryForm.read(request)
        form = SandboxAuthRequestDto(data=request.data)
        form.is_valid(raise_exception=True)
        org = authenticate_sandbox(by=Principal.of(request), **form.validated_data)
        content = {
            "sandboxName": form.validated_data["sandbox_name"],
            "sandboxUsername": org.org_session.username,
            "productionOrg": org.parent,
            **_session_fields(org),
        }
        headers = token_source_header(org.org_session.reused)
        return Response(SandboxAuthResponseDto(content).data, HTTP_201_CREATED, headers=headers)


class ScratchOrgAuthView(APIView):
    """`POST /sfp/api/auth/salesforce/scratch/authenticate`."""

    permission_classes = (MembersAndApplications,)

    @extend_schema(
        operation_id="ScratchOrgAuthController_authenticateScratchOrg",
        summary="Get an access token for a scratch org that is not registered",
        description=(
            "Uses the auth URL in its DevHub's record. If `devhubUsername` is omitted, all DevHubs are searched."
        ),
        tags=["Orgs"],
        request=ScratchOrgAuthRequestDto,
        responses=documented(
            ScratchOrgAuthResponseDto, MembersAndApplications, status=201, ok="A session of the scratch org"
        ),
    )
    def post(self, request: Request) -> Response:
        """Return a session of a scratch org."""
        QueryForm.read(request)
        form = ScratchOrgAuthRequestDto(data=request.data)
        form.is_valid(raise_exception=True)
        org = authenticate_scratch_org(by=Principal.of(request), **form.validated_data)
        content = {
            "scratchOrgUsername": org.org_session.username,
            "sfdxAuthUrl": org.auth_url or None,
            "orgId": org.org_session.session.org_id,
            "devhubOrg": org.parent,
            **_session_fields(org),
        }
        headers = token_source_header(org.org_session.reused)
        return Response(ScratchOrgAuthResponseDto(content).data, HTTP_201_CREATED, headers=headers)


def _session_fields(org: OnDemandOrg) -> dict[str, object]:
    """Return the fields that the responses for sandboxes and scratch orgs share."""
    return {
        "accessToken": org.org_session.session.access_token,
        "instanceUrl": org.org_session.session.instance_url,
        "frontDoorUrl": org.link,
        "frontDoorError": org.link_error,
    }


class FrontdoorView(APIView):
    """`GET /sfp/api/auth/salesforce/frontdoor`."""

    permission_classes = (MembersAndApplications,)

    @extend_schema(
        operation_id="SalesforceAuthController_getFrontdoor",
        summary="Open an org in a browser",
        description=(
            "Searches registered orgs, then pool instances (with `repository` only), then production orgs or "
            "DevHubs. The link works once, within about a minute. HEAD creates no link."
        ),
        tags=["Orgs"],
        parameters=[FrontdoorQuery],
        responses=documented(FrontdoorDto, MembersAndApplications, ok="The one-time link, with `redirect=false`")
        | {302: OpenApiResponse(description="Redirect to the one-time link")}
        | PREFETCH,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Redirect to a one-time link, or return it as JSON."""
        params, by = FrontdoorQuery.read(request), Principal.of(request)
        target = FrontdoorRequest(
            params["target"], params.get("repository", ""), params.get("prodOrg", ""), params.get("path", "")
        )
        if is_prefetch(request):
            return Response(status=HTTP_204_NO_CONTENT)
        if is_head(request):
            resolve(target, by=by)
            return Response()
        created = create_link(target, by=by)
        return HttpResponseRedirect(created.link) if params["redirect"] else Response(FrontdoorDto(created).data)

    head = get


@extend_schema(tags=["Pools"])
class PoolInstanceViewSet(PermissionsByMethod, ViewSet):
    """`/sfp/api/pools/instances`: orgs that jobs share, each held by one assignment at a time."""

    permissions = POOL_PERMISSIONS

    @extend_schema(
        operation_id="PoolInstancesController_list",
        summary="List pool instances",
        description="Lists the instances that match all filters. The list is complete; it has no pages.",
        parameters=[PoolListQuery],
        responses=documented(PoolInstancesDto, MembersAndApplications, ok="The instances"),
    )
    def list_instances(self, request: Request) -> Response:  # drf-spectacular documents a `list` as an array
        """Return the instances that match the filters."""
        filters = PoolListQuery.read(request)
        PoolInstance.objects.expire_overdue_if_possible()
        rows = PoolInstance.objects.select_related("parent")
        if repository := filters.pop("repository", ""):
            rows = rows.of_repository(repository)
        rows = rows.filter(**filters)
        return Response(PoolInstancesDto({"instances": rows}).data)

    @extend_schema(
        operation_id="PoolInstancesController_add",
        summary="Add an instance to a pool",
        description=(
            "Validates `sfdxAuthUrl` with Salesforce. Without it, `parentUsername` gives access to the org: if that "
            "lists no such sandbox, the instance is added and the response has `warnings`."
        ),
        request=PoolInstanceCreateDto,
        responses=documented(AddedInstanceDto, OwnersOnly, status=201, ok="The added instance"),
    )
    def create(self, request: Request) -> Response:
        """Add an instance to a pool."""
        QueryForm.read(request)
        form = PoolInstanceCreateDto(data=request.data)
        form.is_valid(raise_exception=True)
        instance = stock.add_instance(stock.NewInstance(**form.validated_data), by=Principal.of(request))
        return Response(AddedInstanceDto(instance).data, status=HTTP_201_CREATED)

    @extend_schema(
        operation_id="PoolInstancesController_remove",
        summary="Remove an instance from its pool",
        description="Deletes the instance and its credential on this desk. The org itself stays as it is.",
        parameters=[PoolInstanceQuery],
        responses=documented(None, OwnersOnly, ok="Instance removed"),
    )
    def destroy(self, request: Request) -> Response:
        """Remove an instance from its pool."""
        stock.remove_instance(by=Principal.of(request), **PoolInstanceQuery.read(request))
        return Response()

    @extend_schema(
        operation_id="PoolInstancesController_fetch",
        summary="Assign the next available instance, with an access token",
        description="The same `assignmentId` gets the same org again. At most one assignment holds an org.",
        request=PoolFetchDto,
        responses=documented(FetchedInstanceDto, OwnersAndApplications, ok="The assigned instance"),
    )
    def fetch(self, request: Request) -> Response:
        """Assign an available instance."""
        QueryForm.read(request)
        form = PoolFetchDto(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = assignment.FetchRequest(**form.validated_data)
        instance, org_session = assignment.fetch(wanted, by=Principal.of(request))
        content = {**PoolInstanceDto(instance).data, "accessToken": org_session.session.access_token}
        return Response(content, headers=token_source_header(org_session.reused))

    @extend_schema(
        operation_id="PoolInstancesController_unassign",
        summary="End an assignment",
        description="The org returns to the pool or, with `returnToPool: false`, expires.",
        request=PoolUnassignDto,
        responses=documented(PoolInstanceDto, OwnersAndApplications, ok="The instance, without its assignment"),
    )
    def unassign(self, request: Request) -> Response:
        """End an assignment."""
        QueryForm.read(request)
        form = PoolUnassignDto(data=request.data)
        form.is_valid(raise_exception=True)
        instance = assignment.unassign(by=Principal.of(request), **form.validated_data)
        return Response(PoolInstanceDto(instance).data)

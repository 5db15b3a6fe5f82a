"""The HTTP status of each domain error, shared by the API and the pages.

A class that is not listed takes the status of its nearest listed base class.
"""

from http import HTTPStatus

from authn import errors as authn
from orgs import errors as orgs
from orgs.credentials import errors as credentials
from sandboxes import errors as sandboxes
from sandboxes.pools import errors as pools

STATUS: dict[type[authn.DomainError], HTTPStatus] = {
    authn.BearerRefused: HTTPStatus.UNAUTHORIZED,
    authn.LoginRefused: HTTPStatus.UNAUTHORIZED,
    authn.RefreshRefused: HTTPStatus.UNAUTHORIZED,
    authn.TooManyTries: HTTPStatus.TOO_MANY_REQUESTS,
    authn.LoginBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    authn.LinkRefused: HTTPStatus.GONE,
    authn.ContinuationRefused: HTTPStatus.BAD_REQUEST,
    authn.ForeignOrigin: HTTPStatus.FORBIDDEN,
    authn.AuditUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    authn.TokenNotFound: HTTPStatus.NOT_FOUND,
    authn.RoleRequired: HTTPStatus.FORBIDDEN,
    authn.LastOwner: HTTPStatus.CONFLICT,
    orgs.OrgNotFound: HTTPStatus.NOT_FOUND,
    orgs.NoDefaultDevHub: HTTPStatus.NOT_FOUND,
    orgs.AmbiguousSandbox: HTTPStatus.CONFLICT,
    orgs.HasChildren: HTTPStatus.CONFLICT,
    orgs.InvalidRequest: HTTPStatus.BAD_REQUEST,
    orgs.NoAuthUrl: HTTPStatus.BAD_REQUEST,
    orgs.CredentialsForbidden: HTTPStatus.FORBIDDEN,
    orgs.AuthUrlReleaseOff: HTTPStatus.FORBIDDEN,
    credentials.DeskSealed: HTTPStatus.SERVICE_UNAVAILABLE,
    credentials.SpoolUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    orgs.CredentialRotates: HTTPStatus.CONFLICT,
    orgs.OrgUnverified: HTTPStatus.CONFLICT,
    credentials.CredentialTampered: HTTPStatus.CONFLICT,
    credentials.GrantRefused: HTTPStatus.CONFLICT,
    credentials.SandboxNotFound: HTTPStatus.NOT_FOUND,
    credentials.CredentialRefused: HTTPStatus.CONFLICT,
    credentials.OrgGone: HTTPStatus.GONE,
    credentials.SalesforceRefused: HTTPStatus.BAD_GATEWAY,
    credentials.SalesforceLimited: HTTPStatus.TOO_MANY_REQUESTS,
    credentials.SalesforceUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    credentials.SalesforceTimedOut: HTTPStatus.GATEWAY_TIMEOUT,
    sandboxes.NotFound: HTTPStatus.NOT_FOUND,
    sandboxes.Ambiguous: HTTPStatus.CONFLICT,
    sandboxes.SearchIncomplete: HTTPStatus.SERVICE_UNAVAILABLE,
    sandboxes.FrontdoorNotAllowed: HTTPStatus.FORBIDDEN,
    pools.PoolNotAssigned: HTTPStatus.FORBIDDEN,
    pools.AssignedInOtherPool: HTTPStatus.CONFLICT,
    pools.PoolEmpty: HTTPStatus.CONFLICT,
    pools.InstanceExpired: HTTPStatus.GONE,
    pools.InstanceProvisioning: HTTPStatus.SERVICE_UNAVAILABLE,
    sandboxes.ScratchOrgExpired: HTTPStatus.GONE,
    sandboxes.ScratchOrgMismatch: HTTPStatus.CONFLICT,
    sandboxes.ScratchAuthUrlRefused: HTTPStatus.CONFLICT,
}


def status_of(error: authn.DomainError) -> HTTPStatus | None:
    """Return the status of a domain error, or None if neither its class nor a base class has one."""
    return status_of_class(type(error))


def status_of_class(cls: type[authn.DomainError]) -> HTTPStatus | None:
    """Return the status of a class of domain errors, or None if neither it nor a base class has one."""
    return next((STATUS[base] for base in cls.__mro__ if base in STATUS), None)

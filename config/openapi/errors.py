"""The error codes that each operation can return, by status.

The document shows them, and every response that a test gets is compared with it (tests/support/documented_api.py).
"""

from collections.abc import Collection, Mapping
from functools import cache
from http import HTTPStatus

from config.error_catalogue import CataloguedError, catalogue
from config.error_statuses import status_of_class
from orgs.credentials.failures import BY_CODE

Errors = frozenset[tuple[int, str]]


@cache
def _by_code() -> Mapping[str, list[CataloguedError]]:
    entries: dict[str, list[CataloguedError]] = {}
    for entry in catalogue():
        entries.setdefault(entry.code, []).append(entry)
    return entries


def entry_of(code: str, status: int) -> CataloguedError:
    """Return an entry of the catalogue with this code, and with this status if there is one.

    Only failures of a refresh have a status that is not in the catalogue, and their own is the highest of the code.
    """
    entries = _by_code()[code]
    return next((entry for entry in entries if entry.status == status), entries[-1])


def _errors(*codes: str) -> Errors:
    """Return codes with their statuses. Raises KeyError for a code that is not in the catalogue."""
    return frozenset((int(_by_code()[code][0].status), code) for code in codes)


def _refresh_failures(*, as_invalid: bool = False, also_invalid: Collection[str] = ()) -> Errors:
    """Return every way in which a refresh can fail.

    With `as_invalid`, permanent failures and the codes of `also_invalid` are reported as invalid input (400).
    """
    pairs = set()
    for failure in BY_CODE.values():
        status = status_of_class(failure.raises) or HTTPStatus.INTERNAL_SERVER_ERROR
        if as_invalid and (failure.is_client_error or failure.code in also_invalid):
            status = HTTPStatus.BAD_REQUEST
        pairs.add((int(status), failure.code))
    return frozenset(pairs)


def _without(errors: Errors, *codes: str) -> Errors:
    return frozenset((status, code) for status, code in errors if code not in codes)


# --- Groups ------------------------------------------------------------------------------------------

_ANY = _errors(
    "VALIDATION_FAILED", "INVALID_REQUEST", "HOST_NOT_ALLOWED", "REQUEST_TIMEOUT", "PAYLOAD_TOO_LARGE", "INTERNAL_ERROR"
) | _errors("DATABASE_UNAVAILABLE", "MIGRATIONS_MISSING")
_WITH_BODY = _errors("INVALID_JSON", "UNSUPPORTED_MEDIA_TYPE", "UNSUPPORTED_ENCODING")
_BEARER = _errors("TOKEN_INVALID", "TOKEN_EXPIRED", "TOKEN_REVOKED")
_WITH_BEARER = _BEARER | _errors("NOT_AUTHENTICATED", "ROLE_REQUIRED", "AUDIT_UNAVAILABLE")
_LOG_IN = _errors("TOO_MANY_REQUESTS", "AUDIT_UNAVAILABLE")

_NO_LINK = "FRONTDOOR_REFUSED"
_STORED = _errors("CREDENTIAL_TAMPERED", "SEALED", "SPOOL_UNAVAILABLE", "SPOOL_UNREADABLE")
_SESSION = _without(_refresh_failures(), _NO_LINK) | _STORED | _errors("ORG_UNVERIFIED")
_NAMED_ORG = _errors("ORG_NOT_FOUND", "AMBIGUOUS_SANDBOX")
_DEFAULT = _errors("NO_DEFAULT_DEVHUB")
_RELEASE = _errors("CREDENTIALS_FORBIDDEN", "AUTH_URL_RELEASE_OFF", "NO_AUTH_URL", "CREDENTIAL_ROTATES")

# Failures of grants, which only orgs without a credential of their own need.
_GRANT = ("SANDBOX_NOT_FOUND", "SANDBOX_BUSY", "SANDBOX_AUTH_REFUSED", "SANDBOX_USER_CHANGED")
_AUTH_URL = (
    _without(_refresh_failures(as_invalid=True), _NO_LINK, "SANDBOX_REFRESHED", *_GRANT)
    | _STORED
    | _errors("INVALID_SFDX_AUTH_URL", "REDACTED_SFDX_AUTH_URL", "AUTH_URL_IN_USE", "USERNAME_NEEDED")
)
_BY_NAME = _without(_refresh_failures(as_invalid=True, also_invalid=_GRANT), _NO_LINK) | _STORED

_SEARCH = _errors("SEARCH_INCOMPLETE", "AMBIGUOUS_SANDBOX", "ORG_NOT_FOUND")
_SANDBOX = _SEARCH | _errors("SANDBOX_NOT_FOUND", "PRODUCTION_ORG_NOT_FOUND", "NOT_A_PRODUCTION_ORG")
_SCRATCH = _SEARCH | _errors(
    "SCRATCH_ORG_NOT_FOUND", "DEVHUB_NOT_FOUND", "SFDX_AUTH_URL_MISSING", "SCRATCH_ORG_EXPIRED"
)
_SCRATCH |= {(409, "ORG_ID_MISMATCH")}  # of the auth URL in the DevHub's record
_INSTANCE = _errors("POOL_INSTANCE_WITHOUT_KEY") | _SANDBOX | _SCRATCH | _SESSION

# --- Operations --------------------------------------------------------------------------------------

_ORGS: Mapping[str, Errors] = {
    "listOrgs": _errors("CREDENTIALS_FORBIDDEN", "AUTH_URL_RELEASE_OFF"),
    "getOrg": _NAMED_ORG | _RELEASE | _SESSION,
    "updateOrg": _NAMED_ORG | _errors("DEFAULT_NEEDS_DEVHUB", "UNVERIFIED_DEFAULT"),
    "deleteOrg": _NAMED_ORG | _errors("HAS_CHILDREN") | _without(_SESSION, "ORG_GONE", "ORG_UNVERIFIED"),
    "registerOrg": _AUTH_URL
    | _errors("INVALID_INSTANCE_URL", "USERNAME_MISMATCH", "NOT_A_DEVHUB", "SKIP_VALIDATION_OFF", "ALREADY_VERIFIED")
    | _errors("DEFAULT_NEEDS_DEVHUB", "UNVERIFIED_DEFAULT"),
    "registerSandboxByName": _BY_NAME | _NAMED_ORG | _errors("ORG_UNVERIFIED", "NOT_A_PRODUCTION_ORG", "NOT_A_SANDBOX"),
    "testConnection": _NAMED_ORG | _errors("SEALED"),
    "getDefaultDevHub": _DEFAULT | _RELEASE | _SESSION,
    "generateAccessToken": _NAMED_ORG | _SESSION,
    "generateDefaultDevHubAccessToken": _DEFAULT | _SESSION,
    "getFrontdoor": _INSTANCE
    | _errors("INVALID_TARGET", "FRONTDOOR_NOT_ALLOWED", "POOL_NOT_ASSIGNED", _NO_LINK)
    | _errors("POOL_INSTANCE_EXPIRED", "POOL_INSTANCE_PROVISIONING"),
}
_AUTHN: Mapping[str, Errors] = {
    "AuthController_adminLogin": _LOG_IN | _errors("INVALID_CREDENTIALS", "LOGIN_LOCKED", "LOGIN_BUSY"),
    "AuthController_refresh": _LOG_IN | _errors("REFRESH_INVALID", "REFRESH_REUSED"),
    "AuthController_callback": _LOG_IN | _BEARER | _errors("FOREIGN_ORIGIN", "REFRESH_INVALID", "REFRESH_REUSED"),
    "AuthController_continue": _errors("INVALID_CONTINUE_LINK"),
    "ApplicationTokensController_list": frozenset(),
    "ApplicationTokensController_create": frozenset(),
    "ApplicationTokensController_revoke": _errors("TOKEN_NOT_FOUND"),
}
_SANDBOXES: Mapping[str, Errors] = {
    "SandboxAuthController_authenticateSandbox": _SANDBOX | _SESSION | _errors("SANDBOX_REGISTERED"),
    "ScratchOrgAuthController_authenticateScratchOrg": _SCRATCH | _SESSION | _errors("SCRATCH_ORG_REGISTERED"),
    "PoolInstancesController_list": frozenset(),
    "PoolInstancesController_add": _AUTH_URL
    | _errors("ORG_NOT_FOUND", "AMBIGUOUS_SANDBOX", "DEVHUB_NOT_FOUND", "NOT_A_PRODUCTION_ORG")
    | _errors("POOL_INSTANCE_WITHOUT_KEY", "POOL_INSTANCE_EXISTS", "WRONG_KIND_OF_ORG"),
    "PoolInstancesController_remove": _errors("POOL_INSTANCE_NOT_FOUND", "REFRESH_IN_PROGRESS"),
    "PoolInstancesController_fetch": _INSTANCE | _errors("POOL_EMPTY", "ASSIGNED_IN_OTHER_POOL"),
    "PoolInstancesController_unassign": _errors("ASSIGNMENT_NOT_FOUND"),
}
OPERATIONS: Mapping[str, Errors] = {
    **{f"SalesforceAuthController_{name}": errors for name, errors in _ORGS.items()},
    **_AUTHN,
    **_SANDBOXES,
}


def errors_of(operation_id: str, *, has_body: bool, needs_bearer: bool) -> dict[int, list[str]]:
    """Return the sorted codes of an operation by status, in the order of the statuses."""
    pairs = OPERATIONS[operation_id] | _ANY
    pairs |= _WITH_BODY if has_body else frozenset()
    pairs |= _WITH_BEARER if needs_bearer else frozenset()
    by_status: dict[int, list[str]] = {}
    for status, code in sorted(pairs):
        by_status.setdefault(status, []).append(code)
    return by_status

"""Example values of the document. Each body is one that the API accepts or returns; none resembles a real secret."""

from http import HTTPStatus
from typing import Any

from config.error_catalogue import CataloguedError

Json = dict[str, Any]  # an object, as JSON

_TIME, _LATER = "2026-03-02T09:15:00Z", "2026-04-01T09:15:00Z"
_ID = "00000000-0000-4000-8000-000000000042"
_URL, _SANDBOX_URL = "https://acme.my.salesforce.com", "https://acme--dev1.sandbox.my.salesforce.com"
_SCRATCH_URL = "https://acme-s1-dev-ed.scratch.my.salesforce.com"
_TOKEN = "example-access-token"  # noqa: S105 -- not a secret
_REFRESH_TOKEN = "example-refresh-token"  # noqa: S105 -- not a secret
_AUTH_URL = "force://PlatformCLI::example-refresh-token@acme.my.salesforce.com"
_ORG_ID, _SANDBOX_ID, _SCRATCH_ID = "00D000000000001EAA", "00D000000000002EAA", "00D000000000003EAA"
_REPOSITORY, _TAG, _ASSIGNMENT = "acme/app", "features", "pull-request-7"

PARAMETERS: dict[str, object] = {
    "action": "frontDoorUrl",
    "after": "ci@acme.example",
    "authType": "accessToken",
    "cascade": False,
    "devhub": True,
    "includeSfdxAuthUrl": False,
    "limit": 100,
    "metadata": "team=core,tier=1",
    "name": "dev1",
    "params": "targetOrg:dev1,prodOrg:ci@acme.example",
    "path": "/lightning/setup/SetupOneHome/home",
    "poolTag": _TAG,
    "prodOrg": "ci@acme.example",
    "redirect": False,
    "repository": _REPOSITORY,
    "revoke": False,
    "status": "AVAILABLE",
    "tag": _TAG,
    "target": "dev1",
    "token": _ID,
    "type": "SANDBOX",
    "username": "ci@acme.example",
}
# `type` filters kinds of orgs in one list, and types of instances in the other.
PARAMETERS_OF: dict[str, dict[str, object]] = {"SalesforceAuthController_listOrgs": {"type": "Sandbox"}}

_ORG: Json = {
    "username": "ci@acme.example",
    "instanceUrl": _URL,
    "orgId": _ORG_ID,
    "organizationType": "Enterprise Edition",
    "instanceName": "EU42",
    "isJitRegistration": False,
    "isDevHub": True,
    "isDefault": True,
    "metadata": {"team": "core", "tier": 1},
    "health": {
        "state": "healthy",
        "rotates": False,
        "lastSuccessAt": _TIME,
        "lastCheckedAt": _TIME,
        "lastUsedAt": _TIME,
    },
}
_PARENT: Json = {"username": "ci@acme.example", "instanceUrl": _URL, "orgId": _ORG_ID}
_INSTANCE: Json = {
    "id": "42",
    "repository": _REPOSITORY,
    "poolTag": _TAG,
    "name": "dev1",
    "type": "SANDBOX",
    "status": "ASSIGNED",
    "username": "ci@acme.example.dev1",
    "assignmentId": _ASSIGNMENT,
    "assignedToUserEmail": "mia@acme.example",
    "expiresAt": _LATER,
    "instanceUrl": _SANDBOX_URL,
    "salesforceOrgId": _SANDBOX_ID,
    "parentUsername": "ci@acme.example",
}
_ISSUED_TOKEN: Json = {
    "id": _ID,
    "name": "nightly build",
    "prefix": "fdt_demo",
    "createdAt": _TIME,
    "expiresAt": _LATER,
}

# One for each schema that is a body, by its name.
BODIES: dict[str, Json] = {
    "AccessTokenResponseDto": {"accessToken": _TOKEN, **_PARENT, "isDevHub": True},
    "AdminLoginDto": {"email": "mia@acme.example", "password": "correct horse battery staple"},
    "AdminLoginResponseDto": {
        "success": True,
        "access_token": _TOKEN,
        "refresh_token": _REFRESH_TOKEN,
        "user": {"id": _ID, "email": "mia@acme.example", "role": "member"},
    },
    "ApplicationTokenDto": {**_ISSUED_TOKEN, "lastUsedAt": _TIME, "createdBy": "olga@acme.example"},
    "AddedInstanceDto": _INSTANCE,
    "AuthCallbackDto": {"access_token": _TOKEN, "refresh_token": _REFRESH_TOKEN},
    "AuthCallbackResponseDto": {"success": True, "data": {"userId": _ID}},
    "CreateTokenDto": {"name": "nightly build", "expiresIn": 30},
    "CreatedTokenDto": {**_ISSUED_TOKEN, "token": "example-application-token"},
    "FetchedInstanceDto": {**_INSTANCE, "accessToken": _TOKEN},
    "FrontdoorDto": {
        "frontDoorUrl": f"{_SANDBOX_URL}/secur/frontdoor.jsp?otp=example",
        "username": "ci@acme.example.dev1",
        "instanceUrl": _SANDBOX_URL,
        "orgId": _SANDBOX_ID,
    },
    "PoolFetchDto": {
        "repository": _REPOSITORY,
        "poolTag": _TAG,
        "assignmentId": _ASSIGNMENT,
        "assignedToUserEmail": "mia@acme.example",
        "expirationHours": 24,
    },
    "PoolInstanceCreateDto": {
        "repository": _REPOSITORY,
        "poolTag": _TAG,
        "name": "dev1",
        "type": "SANDBOX",
        "status": "AVAILABLE",
        "parentUsername": "ci@acme.example",
    },
    "PoolInstanceDto": _INSTANCE,
    "PoolInstancesDto": {"instances": [_INSTANCE]},
    "PoolUnassignDto": {"repository": _REPOSITORY, "assignmentId": _ASSIGNMENT, "returnToPool": True},
    "SalesforceConnectionTestResponseDto": {
        "isValid": True,
        "username": "ci@acme.example",
        "orgId": _ORG_ID,
        "organizationType": "Enterprise Edition",
        "instanceName": "EU42",
    },
    "SalesforceOrgDto": _ORG,
    "SalesforceOrgListItemDto": {**_ORG, "createdAt": _TIME, "accessToken": _TOKEN},
    "SalesforceOrgRegistrationDto": {
        "sfdxAuthUrl": _AUTH_URL,
        "username": "ci@acme.example",
        "isDevHub": True,
        "isDefault": True,
        "metadata": {"team": "core", "tier": 1},
    },
    "SalesforceOrgUpdateDto": {"isDefault": True, "metadata": {"team": "core", "tier": 1}},
    "SandboxAuthRequestDto": {"sandboxName": "dev1", "productionUsername": "ci@acme.example"},
    "SandboxAuthResponseDto": {
        "sandboxName": "dev1",
        "sandboxUsername": "ci@acme.example.dev1",
        "accessToken": _TOKEN,
        "instanceUrl": _SANDBOX_URL,
        "frontDoorUrl": f"{_SANDBOX_URL}/secur/frontdoor.jsp?otp=example",
        "productionOrg": _PARENT,
    },
    "SandboxRegistrationByNameDto": {"sandboxName": "dev1", "productionUsername": "ci@acme.example"},
    "ScratchOrgAuthRequestDto": {"scratchOrgUsername": "test-s1@acme.example", "devhubUsername": "ci@acme.example"},
    "ScratchOrgAuthResponseDto": {
        "scratchOrgUsername": "test-s1@acme.example",
        "accessToken": _TOKEN,
        "instanceUrl": _SCRATCH_URL,
        "frontDoorUrl": f"{_SCRATCH_URL}/secur/frontdoor.jsp?otp=example",
        "orgId": _SCRATCH_ID,
        "devhubOrg": _PARENT,
    },
    "TokenRefreshDto": {"refresh_token": _REFRESH_TOKEN},
    "TokenRefreshResponseDto": {"success": True, "access_token": _TOKEN, "refresh_token": _REFRESH_TOKEN},
}
_LIST_ITEM = {name: value for name, value in BODIES["SalesforceOrgListItemDto"].items() if name != "accessToken"}
LISTS: dict[str, list[Json]] = {
    "SalesforceOrgListItemDto": [_LIST_ITEM],
    "ApplicationTokenDto": [BODIES["ApplicationTokenDto"]],
}


# --- Errors ------------------------------------------------------------------------------------------

# What fills the fields of message templates.
_VALUES: dict[str, str] = {
    "identifier": "ci@acme.example",
    "name": "dev1",
    "usernames": "ci@acme.example.dev1, ci@globex.example.dev1",
    "username": "ci@acme.example",
    "found": "mia@acme.example",
    "children": "ci@acme.example.dev1",
    "roles": "owner",
    "names": "refresh-7.json",
    "reason": "the field SfdxAuthUrl__c is empty",
    "searched": "ci@acme.example",
    "unsearched": "ci@globex.example",
    "parents": "ci@acme.example, ci@globex.example",
    "what": "dev1",
    "when": "it expired on 2026-03-01",
    "kind": "Production",
    "expected": "Sandbox",
    "repository": _REPOSITORY,
    "assignment_id": _ASSIGNMENT,
    "tag": _TAG,
}


def error_example(entry: CataloguedError, status: int) -> Json:
    """Return the body of an error as a response with this status."""
    message = entry.message.format(**_VALUES)
    content: Json = {
        "statusCode": status,
        "error": HTTPStatus(status).phrase,
        "code": entry.code,
        "message": message,
        "action": entry.action,
        "requestId": "build-4711.attempt-1",
    }
    if entry.code == "VALIDATION_FAILED":
        content["message"] = "usernam: Unknown parameter. This route takes: username."
        content["errors"] = [
            {"field": "usernam", "code": "unknown", "message": "Unknown parameter. This route takes: username."}
        ]
    if entry.code in ("INVALID_CREDENTIALS", "LOGIN_LOCKED", "LOGIN_BUSY"):
        # Fields of the documented log-in response, which its clients read.
        content |= {"success": False, "error": message}
    return content

"""Errors of on-demand access and front-door links. config/error_statuses.py maps each to an HTTP status.

OrgError (orgs/credentials/errors.py)
├── InvalidRequest (orgs/errors.py)
│   ├── AlreadyRegistered                  the org is registered and must be used as such
│   │   └── SandboxRegistered, ScratchOrgRegistered
│   ├── NotASandbox, NotAProductionOrg     the org is of another kind
│   ├── AuthUrlMissing                     the DevHub's record of a scratch org has no auth URL
│   └── InvalidTarget                      the target of a front-door link is not a name of an org
├── NotFound                               no org of this name exists
│   ├── NotRegisteredAsDevHub (NoDevHub), NoProductionOrg
│   └── UnknownSandbox, UnknownScratchOrg  no searched org has it
├── Ambiguous                              several production orgs have a sandbox of this name
├── SearchIncomplete                       not found, and some orgs could not be searched
├── FrontdoorNotAllowed                    a member may not open this org
├── ScratchOrgExpired                      the scratch org has expired or was deleted
├── ScratchOrgMismatch                     the DevHub's record holds the auth URL of another org
└── ScratchAuthUrlRefused                  Salesforce rejected the auth URL in the DevHub's record

The errors of pools are in sandboxes/pools/errors.py.
"""

from collections.abc import Iterable

from orgs.credentials import BY_CODE, OrgError
from orgs.errors import AmbiguousSandbox, InvalidRequest
from orgs.models import SalesforceOrg


class AlreadyRegistered(InvalidRequest):
    """The requested sandbox or scratch org is registered, as `org`."""

    action = (
        "Use the registered org: GET /sfp/api/auth/salesforce/frontdoor?target=..., or, with an owner's token "
        "or an application token, POST /sfp/api/auth/salesforce/access-token?username=..."
    )
    page_action = "Open the registered org from the start page."

    def __init__(self, org: SalesforceOrg) -> None:
        super().__init__(username=org.username)
        self.org = org


class SandboxRegistered(AlreadyRegistered):
    """The requested sandbox is registered."""

    code = "SANDBOX_REGISTERED"
    message = "This sandbox is registered as {username}."


class ScratchOrgRegistered(AlreadyRegistered):
    """The requested scratch org is registered."""

    code = "SCRATCH_ORG_REGISTERED"
    message = "This scratch org is registered as {username}."


class NotASandbox(InvalidRequest):
    """The org that was to be registered as a sandbox is not one."""

    code = "NOT_A_SANDBOX"
    message = "The org of {username} is not a sandbox."
    action = "Register it by its auth URL."

    def __init__(self, username: str) -> None:
        super().__init__(username=username)


class NotAProductionOrg(InvalidRequest):
    """The org that was named as the production org of a sandbox is of another kind."""

    code = "NOT_A_PRODUCTION_ORG"
    message = "{username} is not a production org."
    action = "Send the username of the production org that the sandbox belongs to."
    page_action = "Enter the username of the production org that the sandbox belongs to."

    def __init__(self, username: str) -> None:
        super().__init__(username=username)


class AuthUrlMissing(InvalidRequest):
    """The DevHub's record of a scratch org has no auth URL."""

    code = "SFDX_AUTH_URL_MISSING"
    message = "The DevHub's record of {username} has no auth URL: {reason}."
    action = (
        "Let the tool that creates the scratch org store its auth URL there. "
        "A DevHub that is authorized by JWT cannot provide one."
    )

    def __init__(self, username: str, reason: str) -> None:
        super().__init__(username=username, reason=reason)


class InvalidTarget(InvalidRequest):
    """The target of a front-door link is not the name of an org."""

    code = "INVALID_TARGET"
    message = "{name!r} is neither a username nor a sandbox name."
    action = "Send the username of an org, or the name of a sandbox or pool instance."
    page_action = "Enter the username of an org, or the name of a sandbox or pool instance."

    def __init__(self, name: str) -> None:
        super().__init__(name=name)


# --- Not found ---------------------------------------------------------------------------------------


class NotFound(OrgError):
    """No org, instance or assignment of this name exists. `code` says which."""


class NotRegisteredAsDevHub(NotFound):
    """The named org is registered, but not as a DevHub."""

    code = "DEVHUB_NOT_FOUND"
    message = "{username} is not registered as a DevHub."
    action = 'An owner can mark it: PATCH /sfp/api/auth/salesforce/org?username=... {"isDevHub": true}.'
    page_action = "Select DevHub on the page of that org in the console, or enter another one."

    def __init__(self, username: str) -> None:
        super().__init__(username=username)


class NoDevHub(NotFound):
    """No DevHub is registered."""

    code = NotRegisteredAsDevHub.code
    message = "No DevHub is registered."
    action = "An owner can register one: POST /sfp/api/auth/salesforce/register with isDevHub."
    page_action = "An owner can register one in the console, with DevHub selected."


class NoProductionOrg(NotFound):
    """No production org is registered."""

    code = "PRODUCTION_ORG_NOT_FOUND"
    message = "No production org is registered."
    action = "An owner can register one: POST /sfp/api/auth/salesforce/register."
    page_action = "An owner can register one in the console."


class UnknownSandbox(NotFound):
    """No registered production org has a sandbox of this name."""

    code = BY_CODE["SANDBOX_NOT_FOUND"].code
    message = "No sandbox {name!r} was found in {searched}."
    action = (
        "Check the name in the production org, under Setup > Sandboxes. "
        "If that org is not listed here, an owner can register it."
    )

    def __init__(self, name: str, searched: Iterable[str]) -> None:
        super().__init__(name=name, searched=", ".join(searched))


class UnknownScratchOrg(NotFound):
    """No searched DevHub has a record of this scratch org."""

    code = "SCRATCH_ORG_NOT_FOUND"
    message = "No scratch org {username} is known to {searched}."
    action = "Check the username: sf org list. If its DevHub is not listed here, an owner can register it."

    def __init__(self, username: str, searched: Iterable[str]) -> None:
        super().__init__(username=username, searched=", ".join(searched))


class Ambiguous(OrgError):
    """Several production orgs have a sandbox of this name."""

    code = AmbiguousSandbox.code
    message = "Several production orgs have a sandbox {name!r}: {parents}."
    action = "Name the production org: productionUsername, or prodOrg for a front-door link."
    page_action = "Use a link that names the production org."

    def __init__(self, name: str, parents: Iterable[str]) -> None:
        super().__init__(name=name, parents=", ".join(sorted(parents)))


class SearchIncomplete(OrgError):
    """No searched org has it, and other orgs could not be searched."""

    code = "SEARCH_INCOMPLETE"
    message = "{what} was not found, and these orgs could not be searched: {unsearched}."
    action = "Try again later, or name the production org or DevHub. An owner can test these connections."
    retry_after = 30

    def __init__(self, what: str, unsearched: Iterable[str]) -> None:
        super().__init__(what=what, unsearched=", ".join(unsearched))


# --- Access ------------------------------------------------------------------------------------------


class FrontdoorNotAllowed(OrgError):
    """Members may not open production orgs and DevHubs: the session would be the integration user's."""

    code = "FRONTDOOR_NOT_ALLOWED"
    message = "Members may not open {username}, a production org or DevHub."
    action = "Ask an owner to open it, or to allow members to open it, in the console."

    def __init__(self, org: SalesforceOrg) -> None:
        super().__init__(username=org.username)
        self.refused = org.audit_target


class ScratchOrgExpired(OrgError):
    """The scratch org has expired or was deleted."""

    code = "SCRATCH_ORG_EXPIRED"
    message = "The scratch org {username} no longer exists ({when})."
    action = "Create a new scratch org."

    def __init__(self, username: str, when: str) -> None:
        super().__init__(username=username, when=when)


class ScratchOrgMismatch(OrgError):
    """The DevHub's record of a scratch org holds the auth URL of another org."""

    code = BY_CODE["ORG_ID_MISMATCH"].code
    message = "The auth URL in the DevHub's record of {username} belongs to another org."
    action = "Correct the record in the DevHub, and find out who changed it."

    def __init__(self, username: str) -> None:
        super().__init__(username=username)


class ScratchAuthUrlRefused(OrgError):
    """Salesforce rejected the auth URL in the DevHub's record. `code` is the one of the refusal."""

    message = "Salesforce rejected the auth URL in the DevHub's record of {username}. {refusal}"
    action = "Store a new auth URL in the scratch org's record in the DevHub, or create a new scratch org."

    def __init__(self, code: str, username: str, refusal: str) -> None:
        super().__init__(code=code, username=username, refusal=refusal)

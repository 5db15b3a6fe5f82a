"""Errors of on-demand access, front-door links and pools. config/exceptions.py maps each to an HTTP status.

OrgError (orgs/credentials/errors.py)
├── InvalidRequest (orgs/errors.py)
│   └── AlreadyRegistered                  the org is registered and must be used as such
├── NotFound                               no searched DevHub or production org has an org of this name
├── Ambiguous                              several production orgs have a sandbox of this name
├── SearchIncomplete                       not found, and some orgs could not be searched
├── FrontdoorNotAllowed, PoolNotAssigned   a member may not open this org
├── PoolEmpty                              no instance is available
├── AssignedInOtherPool                    the assignment holds an instance of another pool
├── InstanceExpired                        the instance has expired
├── InstanceProvisioning                   the instance is not available yet
├── ScratchOrgExpired                      the scratch org has expired or was deleted
├── ScratchOrgMismatch                     the DevHub's record holds the auth URL of another org
└── ScratchAuthUrlRefused                  Salesforce rejected the auth URL in the DevHub's record
"""

from collections.abc import Iterable

from orgs.credentials import OrgError
from orgs.errors import InvalidRequest
from orgs.models import SalesforceOrg


class AlreadyRegistered(InvalidRequest):
    """The requested sandbox or scratch org is registered, as `org`."""

    def __init__(self, code: str, what: str, org: SalesforceOrg) -> None:
        action = (
            "Use the registered org: GET /sfp/api/auth/salesforce/frontdoor?target=..., or, with an owner's token "
            "or an application token, POST /sfp/api/auth/salesforce/access-token?username=..."
        )
        super().__init__(code, f"This {what} is registered as {org.username}.", action)
        self.org = org


class NotFound(OrgError):
    """No org, instance or assignment of this name exists. `code` says which."""

    def __init__(self, code: str, message: str, action: str) -> None:
        super().__init__(message)
        self.code = code
        self.action = action


class Ambiguous(OrgError):
    """Several production orgs have a sandbox of this name."""

    code = "AMBIGUOUS_SANDBOX"
    action = "Name the production org: productionUsername, or prodOrg for a front-door link."

    def __init__(self, name: str, parents: Iterable[str]) -> None:
        super().__init__(f"Several production orgs have a sandbox {name!r}: {', '.join(sorted(parents))}.")


class SearchIncomplete(OrgError):
    """No searched org has it, and other orgs could not be searched."""

    code = "SEARCH_INCOMPLETE"
    retry_after = 30

    def __init__(self, what: str, unsearched: Iterable[str]) -> None:
        super().__init__(f"{what} was not found, and these orgs could not be searched: {', '.join(unsearched)}.")
        self.action = "Try again later, or name the production org or DevHub. An owner can test these connections."


class FrontdoorNotAllowed(OrgError):
    """Members may not open production orgs and DevHubs: the session would be the integration user's."""

    code = "FRONTDOOR_NOT_ALLOWED"
    action = "Ask an owner to open it, or to allow members to open it, in the console."

    def __init__(self, username: str) -> None:
        super().__init__(f"Members may not open {username}, a production org or DevHub.")
        self.refused_org = username


class PoolNotAssigned(OrgError):
    """Members may open assigned instances only."""

    code = "POOL_NOT_ASSIGNED"
    action = "Fetch it first, with an owner's token or an application token: POST /sfp/api/pools/instances/fetch."
    page_action = "You can open it after a job or an owner has fetched it."

    def __init__(self, name: str) -> None:
        super().__init__(f"The pool instance {name} is not assigned.")
        self.refused_org = name


class PoolEmpty(OrgError):
    """No instance of the pool is available."""

    code = "POOL_EMPTY"
    action = "Wait until an instance is returned, or ask an owner to add instances."

    def __init__(self, repository: str, tag: str) -> None:
        super().__init__(f"No instance of the pool {tag!r} of {repository} is available.")


class AssignedInOtherPool(OrgError):
    """The assignment already holds an instance of another pool."""

    code = "ASSIGNED_IN_OTHER_POOL"
    action = "Unassign that instance first, or use another assignmentId."

    def __init__(self, assignment_id: str, name: str, tag: str) -> None:
        super().__init__(f"The assignment {assignment_id!r} already holds {name} of the pool {tag!r}.")


class InstanceExpired(OrgError):
    """The instance has expired."""

    code = "POOL_INSTANCE_EXPIRED"
    action = "Fetch another instance: POST /sfp/api/pools/instances/fetch."
    page_action = "Run the job that fetched it again, or ask an owner for another instance."

    def __init__(self, name: str) -> None:
        super().__init__(f"The pool instance {name} has expired.")


class InstanceProvisioning(OrgError):
    """The instance is not available yet."""

    code = "POOL_INSTANCE_PROVISIONING"
    action = "Try again when it is available."
    retry_after = 60

    def __init__(self, name: str) -> None:
        super().__init__(f"The pool instance {name} is still being provisioned.")


class ScratchOrgExpired(OrgError):
    """The scratch org has expired or was deleted."""

    code = "SCRATCH_ORG_EXPIRED"
    action = "Create a new scratch org."

    def __init__(self, username: str, when: str) -> None:
        super().__init__(f"The scratch org {username} no longer exists ({when}).")


class ScratchOrgMismatch(OrgError):
    """The DevHub's record of a scratch org holds the auth URL of another org."""

    code = "ORG_ID_MISMATCH"
    action = "Correct the record in the DevHub, and find out who changed it."

    def __init__(self, username: str) -> None:
        super().__init__(f"The auth URL in the DevHub's record of {username} belongs to another org.")


class ScratchAuthUrlRefused(OrgError):
    """Salesforce rejected the auth URL in the DevHub's record. `code` says why."""

    action = "Store a new auth URL in the scratch org's record in the DevHub, or create a new scratch org."

    def __init__(self, code: str, username: str, message: str) -> None:
        super().__init__(f"Salesforce rejected the auth URL in the DevHub's record of {username}. {message}")
        self.code = code

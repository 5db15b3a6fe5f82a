"""Errors of orgs opened on demand and of pools. They know no HTTP; config/exceptions.py gives each a status.

OrgError (orgs/credentials/errors.py)
├── InvalidRequest (orgs/errors.py)
│   └── AlreadyRegistered                  the org is registered, with a credential and permissions of its own
├── NotFound                               no DevHub or production org that was asked knows this name
├── Ambiguous                              several production orgs have a sandbox of this name
├── SearchIncomplete                       not found, and some orgs could not be asked
├── FrontdoorNotAllowed, PoolNotAssigned   a member may not open this org
├── PoolEmpty                              no instance is free
├── AssignedInOtherPool                    the assignment holds an instance of another pool
├── InstanceExpired                        the instance has expired
├── InstanceProvisioning                   the instance is not ready yet
├── ScratchOrgExpired                      the scratch org has expired or was deleted
├── ScratchOrgMismatch                     the DevHub's record holds the auth URL of another org
└── ScratchKeyRefused                      Salesforce refuses the auth URL in the DevHub's record
"""

from collections.abc import Iterable

from orgs.credentials import OrgError
from orgs.errors import InvalidRequest
from orgs.models import SalesforceOrg


class AlreadyRegistered(InvalidRequest):
    """What was asked for on demand is a registered org, `org`."""

    def __init__(self, code: str, what: str, org: SalesforceOrg) -> None:
        ask = "Ask for the registered org: GET /sfp/api/auth/salesforce/frontdoor?target=..., or as a job or an owner "
        action = ask + "POST /sfp/api/auth/salesforce/access-token?username=..."
        super().__init__(code, f"This {what} is registered as {org.username}.", action)
        self.org = org


class NotFound(OrgError):
    """Nothing of this name is known."""

    def __init__(self, code: str, message: str, action: str) -> None:
        super().__init__(message)
        self.code = code
        self.action = action


class Ambiguous(OrgError):
    """Several production orgs have a sandbox of this name; none is picked by chance."""

    code = "AMBIGUOUS_SANDBOX"
    action = "Say which production org is meant: productionUsername, or prodOrg for a frontdoor."

    def __init__(self, name: str, parents: Iterable[str]) -> None:
        super().__init__(f"Several production orgs have a sandbox {name!r}: {', '.join(sorted(parents))}.")


class SearchIncomplete(OrgError):
    """Those who could be asked do not know it, and the others may."""

    code = "SEARCH_INCOMPLETE"
    retry_after = 30

    def __init__(self, what: str, unasked: Iterable[str]) -> None:
        super().__init__(f"{what} was not found, and these orgs could not be asked: {', '.join(unasked)}.")
        self.action = "Try again later, or name the production org or DevHub; an owner can test those connections."


class FrontdoorNotAllowed(OrgError):
    """Members do not open production orgs and DevHubs: the session there is the integration user's."""

    code = "FRONTDOOR_NOT_ALLOWED"
    action = "Ask an owner, who can open it or let members open this org, in the console."

    def __init__(self, username: str) -> None:
        super().__init__(f"Members may not open {username}, a production org or DevHub.")
        self.refused_org = username


class PoolNotAssigned(OrgError):
    """Members open instances that somebody was given."""

    code = "POOL_NOT_ASSIGNED"
    action = "Have it assigned first: POST /sfp/api/pools/instances/fetch, as a job or an owner."
    page_action = "It opens for you once a job or an owner has fetched it for somebody."

    def __init__(self, name: str) -> None:
        super().__init__(f"The pool instance {name} is assigned to nobody.")
        self.refused_org = name


class PoolEmpty(OrgError):
    """No instance of the pool is free."""

    code = "POOL_EMPTY"
    action = "Wait until one is returned, or have an owner add instances."

    def __init__(self, repository: str, tag: str) -> None:
        super().__init__(f"No instance of the pool {tag!r} of {repository} is available.")


class AssignedInOtherPool(OrgError):
    """An assignment is of one pool."""

    code = "ASSIGNED_IN_OTHER_POOL"
    action = "Unassign that first, or use another assignmentId."

    def __init__(self, assignment_id: str, name: str, tag: str) -> None:
        super().__init__(f"{assignment_id!r} holds {name} of the pool {tag!r} already.")


class InstanceExpired(OrgError):
    """The instance's time is over."""

    code = "POOL_INSTANCE_EXPIRED"
    action = "Fetch another one: POST /sfp/api/pools/instances/fetch."
    page_action = "Run the job again that got it, or ask an owner of this desk for another one."

    def __init__(self, name: str) -> None:
        super().__init__(f"The pool instance {name} has expired.")


class InstanceProvisioning(OrgError):
    """The instance is not ready yet."""

    code = "POOL_INSTANCE_PROVISIONING"
    action = "Try again when it is ready."
    retry_after = 60

    def __init__(self, name: str) -> None:
        super().__init__(f"The pool instance {name} is still being made.")


class ScratchOrgExpired(OrgError):
    """The scratch org was deleted, or its days are over."""

    code = "SCRATCH_ORG_EXPIRED"
    action = "Make a new scratch org."

    def __init__(self, username: str, when: str) -> None:
        super().__init__(f"The scratch org {username} is no more ({when}).")


class ScratchOrgMismatch(OrgError):
    """The DevHub's record of a scratch org holds the auth URL of another org."""

    code = "ORG_ID_MISMATCH"
    action = "Correct the record in the DevHub; find out who wrote to it."

    def __init__(self, username: str) -> None:
        super().__init__(f"The auth URL in the DevHub's record of {username} belongs to another org.")


class ScratchKeyRefused(OrgError):
    """Salesforce refuses the auth URL in the DevHub's record; `code` says why."""

    action = "Write a new auth URL into the scratch org's record in the DevHub, or make a new scratch org."

    def __init__(self, code: str, username: str, message: str) -> None:
        super().__init__(f"The auth URL in the DevHub's record of {username} is no good. {message}")
        self.code = code

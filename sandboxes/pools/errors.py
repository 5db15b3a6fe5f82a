"""Errors of pools. config/error_statuses.py maps each to an HTTP status.

OrgError (orgs/credentials/errors.py)
├── InvalidRequest (orgs/errors.py)
│   ├── InstanceWithoutAccess, ScratchUsernameNeeded    the new instance gives no access to its org
│   ├── WrongKindOfOrg, InstanceExists     the org is of another kind, or already in a pool
│   ├── AuthUrlOfInstance                  another instance has the auth URL
│   └── InstanceUnreachable                the stored instance gives no access to its org
├── NotFound (sandboxes/errors.py)
│   └── InstanceNotFound, AssignmentNotFound
├── PoolNotAssigned                        a member may not open this instance
├── PoolEmpty                              no instance is available
├── AssignedInOtherPool                    the assignment holds an instance of another pool
├── InstanceExpired                        the instance has expired
└── InstanceProvisioning                   the instance is not available yet
"""

from authn.audit_rows.targets import Target
from orgs.credentials import OrgError
from orgs.errors import AuthUrlInUse, InvalidRequest, UsernameNeeded
from sandboxes.errors import NotFound


class InstanceWithoutAccess(InvalidRequest):
    """The new instance has no auth URL, parent or registered org through which its org is reached."""

    code = "POOL_INSTANCE_WITHOUT_KEY"
    message = "The instance has neither a credential nor a parent org."
    action = "Send parentUsername or sfdxAuthUrl, or the username of a registered org."
    page_action = "Enter its parent org, paste an auth URL, or enter the username of a registered org."


class InstanceUnreachable(InvalidRequest):
    """The credential, parent or registered org of a stored instance was deleted."""

    code = InstanceWithoutAccess.code
    message = "The pool instance {name} has neither a credential nor a parent org."
    action = "An owner must remove it, and add it again with sfdxAuthUrl or parentUsername."
    page_action = "An owner must remove it, and add it again with an auth URL or its parent org."

    def __init__(self, name: str) -> None:
        super().__init__(name=name)


class ScratchUsernameNeeded(InvalidRequest):
    """A scratch org without an auth URL is found by its username."""

    code = UsernameNeeded.code
    message = "A scratch org is found in its DevHub by its username."
    action = "Send username as well."
    page_action = "Enter its username."


class WrongKindOfOrg(InvalidRequest):
    """The org is not of the type of the instance."""

    code = "WRONG_KIND_OF_ORG"
    message = "The org is a {kind} org, not a {expected} org."
    action = "Add sandboxes and scratch orgs only, each with its own type."

    def __init__(self, kind: str, expected: str) -> None:
        super().__init__(kind=kind, expected=expected)


class InstanceExists(InvalidRequest):
    """An instance with this name, username or org id is in a pool."""

    code = "POOL_INSTANCE_EXISTS"
    message = "An instance with the name or org of {name} is already in a pool."
    action = "Remove it there first: DELETE /sfp/api/pools/instances?repository=...&name=..."
    page_action = "Remove it from that pool first."

    def __init__(self, name: str) -> None:
        super().__init__(name=name)


class AuthUrlOfInstance(InvalidRequest):
    """The credential of the auth URL belongs to another instance."""

    code = AuthUrlInUse.code
    message = "This auth URL belongs to another pool instance."
    action = "Remove that one first."


class InstanceNotFound(NotFound):
    """No pool of the repository has an instance of this name."""

    code = "POOL_INSTANCE_NOT_FOUND"
    message = "{repository} has no pool instance {name!r}."
    action = "List them: GET /sfp/api/pools/instances?repository=..."
    page_action = "Return to the list of instances."

    def __init__(self, repository: str, name: str) -> None:
        super().__init__(repository=repository, name=name)


class AssignmentNotFound(NotFound):
    """No instance of the repository is assigned to this id."""

    code = "ASSIGNMENT_NOT_FOUND"
    message = "No instance of {repository} is assigned to {assignment_id!r}."
    action = "List the assigned ones: GET /sfp/api/pools/instances?repository=...&status=ASSIGNED."
    page_action = "Filter the list of instances by the status Assigned."

    def __init__(self, repository: str, assignment_id: str) -> None:
        super().__init__(repository=repository, assignment_id=assignment_id)


class PoolNotAssigned(OrgError):
    """Members may open assigned instances only."""

    code = "POOL_NOT_ASSIGNED"
    message = "The pool instance {name} is not assigned."
    action = "Fetch it first, with an owner's token or an application token: POST /sfp/api/pools/instances/fetch."
    page_action = "You can open it after a job or an owner has fetched it."

    def __init__(self, name: str, *, target: Target) -> None:
        super().__init__(name=name)
        self.refused = target


class PoolEmpty(OrgError):
    """No instance of the pool is available."""

    code = "POOL_EMPTY"
    message = "No instance of the pool {tag!r} of {repository} is available."
    action = "Wait until an instance is returned, or ask an owner to add instances."

    def __init__(self, repository: str, tag: str) -> None:
        super().__init__(repository=repository, tag=tag)


class AssignedInOtherPool(OrgError):
    """The assignment already holds an instance of another pool."""

    code = "ASSIGNED_IN_OTHER_POOL"
    message = "The assignment {assignment_id!r} already holds {name} of the pool {tag!r}."
    action = "Unassign that instance first, or use another assignmentId."
    page_action = "Unassign that instance first, or use another assignment id."

    def __init__(self, assignment_id: str, name: str, tag: str) -> None:
        super().__init__(assignment_id=assignment_id, name=name, tag=tag)


class InstanceExpired(OrgError):
    """The instance has expired."""

    code = "POOL_INSTANCE_EXPIRED"
    message = "The pool instance {name} has expired."
    action = "Fetch another instance: POST /sfp/api/pools/instances/fetch."
    page_action = "Run the job that fetched it again, or ask an owner for another instance."

    def __init__(self, name: str) -> None:
        super().__init__(name=name)


class InstanceProvisioning(OrgError):
    """The instance is not available yet."""

    code = "POOL_INSTANCE_PROVISIONING"
    message = "The pool instance {name} is still being provisioned."
    action = "Try again when it is available."
    retry_after = 60

    def __init__(self, name: str) -> None:
        super().__init__(name=name)

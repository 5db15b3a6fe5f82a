"""The principal of a request: one value for users, application tokens and anonymous callers."""

from dataclasses import dataclass
from typing import Literal

from django.http import HttpRequest
from rest_framework.request import Request

from authn.audit_actions import TargetKind
from authn.audit_rows.targets import Target
from authn.models import User
from authn.roles import Role
from authn.web.client_address import client_address
from authn.web.request_id import request_id_of

Kind = Literal["user", "application", "system", "anonymous"]


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request or command.

    `id` is the id of the user or token row and `name` its e-mail or name, copied into the audit so that an
    audit row outlives the user. `address` is the client's IP address.
    """

    kind: Kind
    id: str
    name: str
    role: Role | None
    address: str = ""
    request_id: str = ""

    @property
    def is_authenticated(self) -> bool:
        """Return True unless the caller is anonymous."""
        return self.kind != "anonymous"

    @property
    def audit_target(self) -> Target:
        """Return the user or token itself as the target of an audited action, such as a log-in."""
        kind = TargetKind.TOKEN if self.kind == "application" else TargetKind.PERSON
        return Target(kind, self.id, self.name)

    @property
    def may_hold_credentials(self) -> bool:
        """Return True if credentials of registered orgs may be issued to this principal: owners and applications."""
        return self.role in (Role.OWNER, Role.APPLICATION)

    @classmethod
    def of(cls, request: Request) -> "Principal":
        """Return the principal that authentication found for this request. Raises TypeError if it did not run."""
        principal: object = request.user
        if not isinstance(principal, Principal):
            raise TypeError("Principal.of() requires a request that BearerAuthentication has authenticated.")
        return principal


def anonymous() -> Principal:
    """Return the principal of a request without a bearer token."""
    return Principal(kind="anonymous", id="", name="", role=None)


def system(name: str) -> Principal:
    """Return the principal of a sweep or a management command."""
    return Principal(kind="system", id="", name=name, role=None)


def principal_for(user: User, request: HttpRequest) -> Principal:
    """Return the principal of a user, with the role currently stored."""
    return Principal(
        kind="user",
        id=str(user.id),
        name=user.email,
        role=Role(user.role),
        address=client_address(request),
        request_id=request_id_of(request),
    )

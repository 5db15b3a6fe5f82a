"""May they? One small class for each row of the table in design section 5."""

from typing import Any, ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from authn.principals import Principal
from authn.roles import Role, role_satisfies


class RequiresRole(BasePermission):
    """Admit actors whose role satisfies `roles`; say so in the contract's words otherwise."""

    roles: ClassVar[tuple[Role, ...]] = ()
    code = "ROLE_REQUIRED"

    @property
    def message(self) -> str:
        """Return the contract's 403 text, such as "Forbidden - Requires role: owner"."""
        return forbidden_text(self.roles)

    def has_permission(self, request: Request, view: Any) -> bool:
        """Tell whether the actor's role, as the database has it now, is enough."""
        actor: object = request.user
        return isinstance(actor, Principal) and role_satisfies(actor.role, self.roles)


def forbidden_text(roles: tuple[Role, ...]) -> str:
    """Return the contract's text of a 403 for a route that asks for `roles`."""
    return f"Forbidden - Requires role: {', '.join(role.value for role in roles)}"


class OwnersOnly(RequiresRole):
    """Owners."""

    roles = (Role.OWNER,)


class MembersAndApplications(RequiresRole):
    """Owners, members and application tokens."""

    roles = (Role.MEMBER, Role.APPLICATION)


class OwnersAndApplications(RequiresRole):
    """Owners and application tokens: whoever may hold credentials."""

    roles = (Role.OWNER, Role.APPLICATION)

"""REST framework permissions: one class per set of roles that a route admits."""

from collections.abc import Mapping
from typing import ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from authn.errors import RoleRequired
from authn.principals import Principal
from authn.roles import Role, role_satisfies


class RequiresRole(BasePermission):
    """Admits principals whose role satisfies `roles`; the documented 403 text otherwise."""

    roles: ClassVar[tuple[Role, ...]] = ()
    code = RoleRequired.code

    @property
    def message(self) -> str:
        """Return the documented 403 text, such as "Forbidden - Requires role: owner"."""
        return str(RoleRequired(self.roles))

    def has_permission(self, request: Request, view: object) -> bool:
        """Return True if the principal's currently stored role satisfies `roles`."""
        principal: object = request.user
        return isinstance(principal, Principal) and role_satisfies(principal.role, self.roles)


class OwnersOnly(RequiresRole):
    """Admits owners."""

    roles = (Role.OWNER,)


class MembersAndApplications(RequiresRole):
    """Admits owners, members and application tokens."""

    roles = (Role.MEMBER, Role.APPLICATION)


class OwnersAndApplications(RequiresRole):
    """Admits owners and application tokens, the principals that may hold credentials."""

    roles = (Role.OWNER, Role.APPLICATION)


class PermissionsByMethod:
    """Mixin of a view set: `permissions` holds the permission of each method. Methods without one are for owners."""

    permissions: ClassVar[Mapping[str, type[RequiresRole]]] = {}

    def get_permissions(self) -> list[RequiresRole]:
        """Return the permission of the called method."""
        method: str = getattr(self, "action", None) or ""  # ViewSetMixin sets it, to None for an unknown method.
        return [self.permissions.get(method, OwnersOnly)()]

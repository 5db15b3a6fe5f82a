"""Who acts: one value for a person, an application token and nobody, as views and audit see them."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request

from authn.models import User
from authn.roles import Role
from authn.web.client_address import client_address
from authn.web.request_id import request_id_of


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who asks: `kind` is "user", "application", "system" or "anonymous".

    `id` is the id of the user or token row and `name` its e-mail or name, kept as text in the
    audit so that a record outlives the row. `address` is the client's IP address.
    """

    kind: str
    id: str
    name: str
    role: Role | None
    address: str = ""
    request_id: str = ""

    @property
    def is_authenticated(self) -> bool:
        """Tell whether we know who this is."""
        return self.kind != "anonymous"

    @property
    def may_hold_credentials(self) -> bool:
        """Tell whether keys of registered orgs may be handed to this actor (design section 5)."""
        return self.role in (Role.OWNER, Role.APPLICATION)

    @classmethod
    def of(cls, request: Request | Any) -> "Principal":
        """Return the actor that authentication found for this request."""
        actor = request.user
        if not isinstance(actor, Principal):
            raise TypeError("Actor.of() wants a request that BearerAuthentication has seen.")
        return actor


def anonymous() -> Principal:
    """Return the actor of a request without a bearer."""
    return Principal(kind="anonymous", id="", name="", role=None)


def system(name: str) -> Principal:
    """Return the actor for what Frontdesk does by itself, such as a sweep or a command."""
    return Principal(kind="system", id="", name=name, role=None)


def principal_for(user: User, request: HttpRequest) -> Principal:
    """Return the actor for a person, with the role that the database gives now."""
    return Principal(
        kind="user",
        id=str(user.id),
        name=user.email,
        role=Role(user.role),
        address=client_address(request),
        request_id=request_id_of(request),
    )

"""The three roles of the contract, and who may do what another may."""

from django.db import models


class Role(models.TextChoices):
    """In what capacity somebody asks. People are owners or members; a token is an application."""

    OWNER = "owner", "Owner"
    MEMBER = "member", "Member"
    APPLICATION = "application", "Application"


def role_satisfies(role: Role | None, allowed: tuple[Role, ...]) -> bool:
    """Tell whether `role` is among `allowed`. An owner may do all that a member may."""
    if role is None:
        return False
    return role in allowed or (role is Role.OWNER and Role.MEMBER in allowed)

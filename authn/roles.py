"""The three roles of the API."""

from django.db import models


class Role(models.TextChoices):
    """The role of a principal. Users are owners or members; a token is an application."""

    OWNER = "owner", "Owner"
    MEMBER = "member", "Member"
    APPLICATION = "application", "Application"


def role_satisfies(role: Role | None, allowed: tuple[Role, ...]) -> bool:
    """Return True if `role` is among `allowed`. An owner may do everything that a member may."""
    if role is None:
        return False
    return role in allowed or (role is Role.OWNER and Role.MEMBER in allowed)

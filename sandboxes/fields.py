"""Serializer fields for names in requests. Names that are not stored must have a valid syntax: it is checked
before any call to Salesforce.
"""

from typing import Any

from rest_framework import serializers

from authn.serializers import StrictCharField
from orgs.lookup import is_registered
from orgs.serializer_fields import NameField
from orgs.usernames import is_secret, is_username_like
from sandboxes.names import POOL_TAG_PATTERN, is_sandbox_name, is_scratch_username, page_in_org, read_repository
from sandboxes.stored_names import is_stored


class SandboxNameField(NameField):
    """The name of a sandbox. The username of a registered org passes too: its error names that org."""

    default_error_messages = {"invalid": "Not a valid sandbox name: use letters, digits, - and _ only."}

    def accepts(self, name: str) -> bool:
        """Return True for a sandbox name, and for the name of a registered org."""
        return (is_sandbox_name(name) and not is_secret(name)) or is_registered(name)


class ScratchUsernameField(NameField):
    """The username of a scratch org."""

    default_error_messages = {"invalid": "Not a valid Salesforce username."}

    def accepts(self, name: str) -> bool:
        """Return True for a valid username, and for one that is stored."""
        return is_scratch_username(name) or is_stored(name)


class RepositoryField(StrictCharField):
    """The path of a repository on its forge, with two or more segments."""

    default_error_messages = {
        "invalid": "Not a valid repository: use org/repo, group/subgroup/repo or org/My Project/repo, "
        "in ASCII and without the address of the forge."
    }

    def to_internal_value(self, data: object) -> str:
        """Return the repository as it is stored. Raises ValidationError."""
        try:
            return read_repository(super().to_internal_value(data))
        except ValueError:
            self.fail("invalid")


class PoolTagField(serializers.RegexField):
    """The tag of a pool."""

    default_error_messages = {"invalid": "Not a valid pool tag: use letters, digits, ., - and _ only."}

    def __init__(self, **options: Any) -> None:
        super().__init__(rf"^(?:{POOL_TAG_PATTERN})\Z", **options)


class InstanceNameField(NameField):
    """The name of a pool instance: a sandbox name, or any name without spaces or markup."""

    default_error_messages = {"invalid": "Not a valid name: spaces, slashes, colons and markup are not allowed."}

    def accepts(self, name: str) -> bool:
        """Return True for a valid name, and for one that is stored."""
        return is_username_like(name) or is_stored(name)


class AssignmentField(StrictCharField):
    """The id of an assignment, such as a branch, a ticket or a run. It must not be a secret."""

    default_error_messages = {"invalid": "Not a valid assignmentId: spaces, colons and markup are not allowed."}

    def to_internal_value(self, data: object) -> str:
        """Return the id. Raises ValidationError."""
        assignment = super().to_internal_value(data)
        if not is_username_like(assignment.replace("/", "-").replace("#", "-")):
            self.fail("invalid")
        return assignment


class PageField(StrictCharField):
    """A path in an org."""

    default_error_messages = {"invalid": "Not a valid path in the org: send one such as /lightning/setup/home."}

    def to_internal_value(self, data: object) -> str:
        """Return the path with its leading slash. Raises ValidationError."""
        try:
            return page_in_org(super().to_internal_value(data))
        except ValueError:
            self.fail("invalid")

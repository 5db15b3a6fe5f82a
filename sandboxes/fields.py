"""Serializer fields for names in requests. Each checks its grammar before any query or call to Salesforce."""

from typing import Any

from rest_framework import serializers

from authn.serializers import StrictCharField
from orgs.models import SalesforceOrg
from orgs.usernames import is_username_like
from sandboxes.names import POOL_TAG_PATTERN, is_repository, is_sandbox_name, is_scratch_username, page_in_org


class SandboxNameField(StrictCharField):
    """The name of a sandbox. The username of a registered org passes too: its error names that org."""

    default_error_messages = {"invalid": "Not a valid sandbox name: use letters, digits, - and _ only."}

    def to_internal_value(self, data: object) -> str:
        """Return the name without surrounding spaces. Raises ValidationError."""
        name = super().to_internal_value(data)
        is_registered = is_username_like(name) and SalesforceOrg.objects.with_username(name).exists()
        if not is_sandbox_name(name) and not is_registered:
            self.fail("invalid")
        return name


class ScratchUsernameField(StrictCharField):
    """The username of a scratch org."""

    default_error_messages = {"invalid": "Not a valid Salesforce username."}

    def to_internal_value(self, data: object) -> str:
        """Return the username without surrounding spaces. Raises ValidationError."""
        username = super().to_internal_value(data)
        if not is_scratch_username(username):
            self.fail("invalid")
        return username


class RepositoryField(StrictCharField):
    """`org/repo` or `org/project/repo`."""

    default_error_messages = {"invalid": "Not a valid repository: use org/repo or org/project/repo."}

    def to_internal_value(self, data: object) -> str:
        """Return the repository. Raises ValidationError."""
        repository = super().to_internal_value(data)
        if not is_repository(repository):
            self.fail("invalid")
        return repository


class PoolTagField(serializers.RegexField):
    """The tag of a pool."""

    default_error_messages = {"invalid": "Not a valid pool tag: use letters, digits, ., - and _ only."}

    def __init__(self, **options: Any) -> None:
        super().__init__(rf"^(?:{POOL_TAG_PATTERN})\Z", **options)


class InstanceNameField(StrictCharField):
    """The name of a pool instance: a sandbox name, or any name without spaces or markup."""

    default_error_messages = {"invalid": "Not a valid name: spaces, slashes, colons and markup are not allowed."}

    def to_internal_value(self, data: object) -> str:
        """Return the name. Raises ValidationError."""
        name = super().to_internal_value(data)
        if not is_username_like(name):
            self.fail("invalid")
        return name


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

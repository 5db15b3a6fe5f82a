"""Names that come from outside, each checked by its own grammar before anybody is asked about it."""

from typing import Any, ClassVar

from rest_framework import serializers

from authn.serializers import StrictCharField
from orgs.models import SalesforceOrg
from orgs.usernames import is_username_like
from sandboxes.names import POOL_TAG_PATTERN, is_repository, is_sandbox_name, is_scratch_username, page_in_org


class SandboxNameField(StrictCharField):
    """The name of a sandbox. That of a registered org by its username is let through, to be refused by name."""

    default_error_messages: ClassVar[Any] = {"invalid": "A sandbox name has letters, digits, - and _ alone."}

    def to_internal_value(self, data: Any) -> str:
        """Return the name without spaces around it. Raises ValidationError."""
        name = super().to_internal_value(data)
        known = is_username_like(name) and SalesforceOrg.objects.with_username(name).exists()
        if not is_sandbox_name(name) and not known:
            self.fail("invalid")
        return name


class ScratchUsernameField(StrictCharField):
    """The username of a scratch org."""

    default_error_messages: ClassVar[Any] = {"invalid": "This is no Salesforce username."}

    def to_internal_value(self, data: Any) -> str:
        """Return the username without spaces around it. Raises ValidationError."""
        username = super().to_internal_value(data)
        if not is_scratch_username(username):
            self.fail("invalid")
        return username


class RepositoryField(StrictCharField):
    """`org/repo` or `org/project/repo`."""

    default_error_messages: ClassVar[Any] = {"invalid": "Write a repository as org/repo or org/project/repo."}

    def to_internal_value(self, data: Any) -> str:
        """Return the repository. Raises ValidationError."""
        repository = super().to_internal_value(data)
        if not is_repository(repository):
            self.fail("invalid")
        return repository


class PoolTagField(serializers.RegexField):
    """The name of a pool."""

    default_error_messages: ClassVar[Any] = {"invalid": "A pool tag has letters, digits, ., - and _ alone."}

    def __init__(self, **options: Any) -> None:
        super().__init__(rf"^(?:{POOL_TAG_PATTERN})\Z", **options)


class InstanceNameField(StrictCharField):
    """The name of a pool instance: a sandbox name, or any name without spaces or markup."""

    default_error_messages: ClassVar[Any] = {"invalid": "A name has no spaces, slashes, colons or markup."}

    def to_internal_value(self, data: Any) -> str:
        """Return the name. Raises ValidationError."""
        name = super().to_internal_value(data)
        if not is_username_like(name):
            self.fail("invalid")
        return name


class AssignmentField(StrictCharField):
    """What an assignment is called: a branch, a ticket, a run. No secret belongs there."""

    default_error_messages: ClassVar[Any] = {"invalid": "An assignmentId has no spaces, colons or markup."}

    def to_internal_value(self, data: Any) -> str:
        """Return the id. Raises ValidationError."""
        assignment = super().to_internal_value(data)
        if not is_username_like(assignment.replace("/", "-").replace("#", "-")):
            self.fail("invalid")
        return assignment


class PageField(StrictCharField):
    """A path in an org."""

    default_error_messages: ClassVar[Any] = {"invalid": "Send a path in the org, such as /lightning/setup/home."}

    def to_internal_value(self, data: Any) -> str:
        """Return the path from the org's root. Raises ValidationError."""
        try:
            return page_in_org(super().to_internal_value(data))
        except ValueError:
            self.fail("invalid")

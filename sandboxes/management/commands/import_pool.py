"""`manage.py import_pool --dev-hub USERNAME --tag TAG --repository ORG/REPO`: a scratch pool of a DevHub."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authn.errors import AuditUnavailable
from authn.principals import system
from authn.web.safe_text import is_safe_text
from orgs.credentials import OrgError
from sandboxes.names import is_repository
from sandboxes.on_demand.parents import dev_hub
from sandboxes.pools.stock import import_scratch_pool


class Command(BaseCommand):
    """Adds the live scratch orgs of a pool that a DevHub keeps by tag. Run it again as more get ready."""

    help = "Add the scratch orgs that a DevHub's ScratchOrgInfo lists under a pool tag to a pool of this desk."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--dev-hub", required=True, help="Username of a registered DevHub.")
        parser.add_argument("--tag", required=True, help="The pool's tag, in the DevHub and here.")
        parser.add_argument("--repository", required=True, help="The repository that the pool is for: org/repo.")

    def handle(self, *_: Any, tag: str, repository: str, **options: Any) -> None:
        """Import the pool."""
        if not is_repository(repository):
            raise CommandError("--repository must read org/repo or org/project/repo.")
        if not 1 <= len(tag) <= 100 or not is_safe_text(tag):
            raise CommandError("--tag must have 1 to 100 characters, none of which controls how text is shown.")
        try:
            hub = dev_hub(options["dev_hub"])
            done = import_scratch_pool(hub, tag=tag, repository=repository, by=system("import_pool"))
        except (OrgError, AuditUnavailable) as error:
            raise CommandError(f"{error} {error.action}") from error
        self.stdout.write(
            f"{done.added} added to the pool {tag!r} of {repository}, "
            f"{done.made_available} made available, {done.passed_over} passed over."
        )

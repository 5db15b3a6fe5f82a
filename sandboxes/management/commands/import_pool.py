"""`manage.py import_pool --dev-hub USERNAME --tag TAG --repository ORG/REPO`."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from authn.errors import AuditUnavailable
from authn.principals import system
from authn.web.safe_text import is_safe_text
from orgs.credentials import OrgError
from sandboxes.names import read_repository
from sandboxes.on_demand.parents import dev_hub as registered_dev_hub
from sandboxes.pools.stock import import_scratch_pool


class Command(BaseCommand):
    """Imports the active scratch orgs of a DevHub's pool. Run it again to import new ones."""

    help = "Import the scratch orgs that ScratchOrgInfo of a DevHub lists under a pool tag."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--dev-hub", required=True, help="Username of a registered DevHub.")
        parser.add_argument("--tag", required=True, help="The pool tag, in the DevHub and in Frontdesk.")
        parser.add_argument("--repository", required=True, help="Its repository, as org/repo or group/subgroup/repo.")

    def handle(self, *_: object, dev_hub: str, tag: str, repository: str, **__: object) -> None:
        """Import the pool."""
        try:
            repository = read_repository(repository)
        except ValueError as error:
            raise CommandError("--repository must be org/repo, group/subgroup/repo or org/My Project/repo.") from error
        if not 1 <= len(tag) <= 100 or not is_safe_text(tag):
            raise CommandError("--tag must have 1 to 100 characters, without control characters.")
        try:
            hub = registered_dev_hub(dev_hub)
            imported = import_scratch_pool(hub, tag=tag, repository=repository, by=system("import_pool"))
        except (OrgError, AuditUnavailable) as error:
            raise CommandError(f"{error} {error.action}") from error
        self.stdout.write(
            f"{imported.added} added to the pool {tag!r} of {repository}, "
            f"{imported.made_available} made available, {imported.skipped} skipped."
        )

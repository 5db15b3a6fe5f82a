"""`manage.py issue_application_token NAME --days N`."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from authn import tokens
from authn.principals import system
from authn.web.safe_text import is_safe_text


class Command(BaseCommand):
    """Issues a token for a CI job and prints only the token."""

    help = "Issue an application token. Its value is printed once and not stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name")
        parser.add_argument("--days", type=int, default=tokens.DEFAULT_DAYS)

    def handle(self, *_: object, name: str, days: int, **__: object) -> None:
        """Issue the token. Raises CommandError."""
        if not 1 <= days <= tokens.MAX_DAYS:
            raise CommandError(f"--days must be between 1 and {tokens.MAX_DAYS}.")
        if not 1 <= len(name.strip()) <= 100:
            raise CommandError("NAME must have 1 to 100 characters.")
        if not is_safe_text(name.strip()):
            raise CommandError("NAME must not contain control characters or bidirectional formatting characters.")
        _row, value = tokens.issue(name=name.strip(), days=days, by=system("issue_application_token"))
        self.stdout.write(value)

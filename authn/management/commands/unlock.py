"""`manage.py unlock EMAIL`."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from authn.models import User
from authn.principals import system
from authn.users import unlock
from authn.web.email_addresses import canonical_email


class Command(BaseCommand):
    """Lifts the lock of a user after too many wrong passwords."""

    help = "Reset the failed log-ins of a user, who can then log in at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("email")

    def handle(self, *_: object, email: str, **__: object) -> None:
        """Lift the lock. Raises CommandError for an unknown e-mail."""
        user = User.objects.filter(email=canonical_email(email)).first()
        if user is None:
            raise CommandError("No user has this e-mail. Nothing was changed.")
        unlock(user, by=system("unlock"))
        self.stdout.write(f"{user.email} is not locked.")

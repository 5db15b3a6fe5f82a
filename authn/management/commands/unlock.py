"""`manage.py unlock EMAIL`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authn.email_addresses import canonical_email
from authn.models import User
from authn.principals import system
from authn.users import unlock


class Command(BaseCommand):
    """Lifts the lock after wrong passwords."""

    help = "Forget the wrong passwords that were tried for a person, so that the person may log in at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("email")

    def handle(self, *_: Any, email: str, **__: Any) -> None:
        """Lift the lock, or say why not."""
        user = User.objects.filter(email=canonical_email(email)).first()
        if user is None:
            raise CommandError("No person has this e-mail. Nothing was changed.")
        unlock(user, by=system("unlock"))
        self.stdout.write(f"The log-in of {user.email} is not locked.")

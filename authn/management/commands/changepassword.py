"""`manage.py changepassword EMAIL`, in place of Django's command of this name."""

import getpass
from argparse import ArgumentParser

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from authn.models import User
from authn.principals import system
from authn.users import set_password
from authn.web.email_addresses import canonical_email


class Command(BaseCommand):
    """Changes a user's password, ends every log-in of the user and records it in the audit."""

    help = "Change a user's password. Prompts for it. Every log-in of the user ends."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("email")

    def handle(self, *_: object, email: str, **__: object) -> None:
        """Change the password. Raises CommandError for an unknown e-mail, or a weak or mistyped password."""
        user = User.objects.filter(email=canonical_email(email)).first()
        if user is None:
            raise CommandError("No user has this e-mail. Nothing was changed.")
        password = getpass.getpass(f"New password for {user.email}: ")
        if password != getpass.getpass("New password (again): "):
            raise CommandError("The passwords do not match. Nothing was changed.")
        try:
            set_password(user, password, by=system("changepassword"), how="changed by an operator")
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"The password of {user.email} is changed. Every log-in of this user has ended.")

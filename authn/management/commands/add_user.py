"""`manage.py add_user EMAIL --role member|owner [--password-stdin]`."""

import sys
from argparse import ArgumentParser
from getpass import getpass

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from authn.principals import system
from authn.roles import Role
from authn.users import add_user


class Command(BaseCommand):
    """Adds a user."""

    help = "Add a user. Prompts for the password, or reads it from standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("email")
        parser.add_argument("--role", choices=[Role.OWNER, Role.MEMBER], default=Role.MEMBER)
        parser.add_argument("--password-stdin", action="store_true", help="Read the password from standard input.")

    def handle(self, *_: object, email: str, role: str, password_stdin: bool, **__: object) -> None:
        """Add the user. Raises CommandError."""
        password = sys.stdin.readline().rstrip("\r\n") if password_stdin else self._prompt()
        try:
            user = add_user(email=email, role=Role(role), password=password, by=system("add_user"))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"{user.email} may log in as {user.role}.")

    def _prompt(self) -> str:
        if not sys.stdin.isatty():
            raise CommandError("There is no terminal to prompt for the password. Pass it with --password-stdin.")
        password = getpass("Password: ")
        if password != getpass("Password (again): "):
            raise CommandError("The passwords do not match. No user was added.")
        return password

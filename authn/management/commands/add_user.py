"""`manage.py add_user EMAIL --role member|owner [--password-stdin]`."""

import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from authn.principals import system
from authn.roles import Role
from authn.users import add_user


class Command(BaseCommand):
    """Adds a person who may log in."""

    help = "Add a person. Asks for the password, or reads it from standard input; never takes it as an argument."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("email")
        parser.add_argument("--role", choices=[Role.OWNER, Role.MEMBER], default=Role.MEMBER)
        parser.add_argument("--password-stdin", action="store_true", help="Read the password from standard input.")

    def handle(self, *_: Any, email: str, role: str, password_stdin: bool, **__: Any) -> None:
        """Add the person, or say why not."""
        password = sys.stdin.readline().rstrip("\r\n") if password_stdin else self._ask()
        try:
            user = add_user(email=email, role=Role(role), password=password, by=system("add_user"))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"{user.email} may log in as {user.role}.")

    def _ask(self) -> str:
        password = getpass("Password: ")
        if password != getpass("Password (again): "):
            raise CommandError("The two passwords differ. Nobody was added.")
        return password

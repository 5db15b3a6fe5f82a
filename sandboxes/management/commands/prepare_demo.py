"""`manage.py prepare_demo --directory .demo`: everything that the demo needs, made once."""

import json
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from authn import tokens
from authn.models import ApplicationToken, User
from authn.principals import system
from authn.private_files import publish_private
from authn.roles import Role
from authn.users import add_user
from orgs.models import SalesforceOrg
from orgs.registration import Registration, register
from orgs.salesforce.emulator import demo_data
from orgs.salesforce.emulator.snapshot import load
from sandboxes.models import PoolInstance
from sandboxes.pools.stock import import_scratch_pool

_BY = system("prepare_demo")
_PEOPLE = {"owner": Role.OWNER, "member": Role.MEMBER}
# What is registered for the start; the other orgs of the demo's world are the visitor's to register.
_REGISTERED: dict[str, dict[str, Any]] = {
    "devhub@acme.example": {"is_dev_hub": True, "is_default": True, "metadata": {"team": "platform", "tier": 1}},
    "emea@acme.example": {"is_dev_hub": True, "metadata": {"team": "emea", "tier": 1}},
    "devhub@acme.example.qa": {"metadata": {"team": "platform", "tier": 2}},
}
# The scratch orgs that the default DevHub keeps under this tag become a pool.
_POOL_TAG, _REPOSITORY = "features", "acme/app"
_TO_REGISTER = {"register-sandbox.json": "devhub@acme.example.dev1"}


class Command(BaseCommand):
    """Migrates, makes people, a token and a pool, and registers orgs of the emulator. Safe to run again."""

    help = "Prepare the demo. Log-ins go to files in the directory, never to the terminal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--directory", type=Path, required=True, help="A private directory, such as .demo.")
        parser.add_argument("--state", type=Path, help="The emulator's state file; salesforce.json in the directory.")

    def handle(self, *_: Any, directory: Path, state: Path | None, **__: Any) -> None:
        """Prepare the demo."""
        if not settings.DEMO:
            raise CommandError("DEMO is off; this command fills a desk with made-up orgs and people.")
        call_command("migrate", verbosity=0)
        for name, role in _PEOPLE.items():
            _make_person(directory / f"login-{name}.json", f"{name}@acme.example", role)
        _make_token(directory / "application-token")
        urls = demo_data.auth_urls(load(state or directory / "salesforce.json"))
        registered = set(SalesforceOrg.objects.values_list("username", flat=True))
        for username, wishes in _REGISTERED.items():
            if username not in registered:
                register(Registration(sfdx_auth_url=urls[username], **wishes), by=_BY)
        if not PoolInstance.objects.exists():
            hub = SalesforceOrg.objects.get(is_default=True)
            import_scratch_pool(hub, tag=_POOL_TAG, repository=_REPOSITORY, by=_BY)
        for file_name, username in _TO_REGISTER.items():
            _write(directory / file_name, json.dumps({"sfdxAuthUrl": urls[username], "metadata": {"team": "demo"}}))


def _make_person(path: Path, email: str, role: Role) -> None:
    if not path.exists() or not User.objects.filter(email=email).exists():
        User.objects.filter(email=email).delete()
        password = secrets.token_urlsafe(12)
        add_user(email=email, role=role, password=password, by=_BY)
        _write(path, json.dumps({"email": email, "password": password}))


def _make_token(path: Path) -> None:
    live = ApplicationToken.objects.filter(revoked_at=None, expires_at__gt=timezone.now())
    if not path.exists() or not live.filter(prefix=path.read_text()[:10]).exists():
        _row, value = tokens.issue(name="demo", days=tokens.DEFAULT_DAYS, by=_BY)
        _write(path, value)


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    publish_private(path, text.encode())

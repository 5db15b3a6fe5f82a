"""`manage.py prepare_demo --directory .demo`: the data of the demo, created once."""

import json
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import TypedDict

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
from orgs.connections.check import check_connection
from orgs.credentials import Credential, call_with_session, decrypt_grant
from orgs.metadata import Metadata
from orgs.models import SalesforceOrg
from orgs.org_sessions import ParentSessions
from orgs.registration import Registration, register
from orgs.salesforce.emulator import demo_data
from orgs.salesforce.emulator.snapshot import load
from sandboxes.management.demo_history import write_history
from sandboxes.models import PoolInstance
from sandboxes.pools.stock import import_scratch_pool

_BY = system("prepare_demo")
_USERS = {"owner": Role.OWNER, "member": Role.MEMBER}


class _Options(TypedDict, total=False):
    """Fields of orgs.registration.Registration."""

    is_dev_hub: bool
    is_default: bool
    metadata: Metadata


# The orgs registered at the start. Visitors register the other orgs of the emulator themselves.
_REGISTERED: dict[str, _Options] = {
    "devhub@acme.example": {"is_dev_hub": True, "is_default": True, "metadata": {"team": "platform", "tier": 1}},
    "emea@acme.example": {"is_dev_hub": True, "metadata": {"team": "emea", "tier": 1}},
    "devhub@acme.example.qa": {"metadata": {"team": "platform", "tier": 2}},
    "devhub@acme.example.uat": {"metadata": {"team": "release", "tier": 2}},
}
# Its refresh token is revoked at the emulator after the registration, as an administrator of the org could.
_EXPIRED = "devhub@acme.example.uat"
# The scratch orgs of the default DevHub with this tag are imported as a pool.
_POOL_TAG, _REPOSITORY = "features", "acme/app"
_TO_REGISTER = {"register-sandbox.json": "devhub@acme.example.dev1"}


class Command(BaseCommand):
    """Migrates, creates history, users, a token and a pool, and registers orgs of the emulator. Idempotent."""

    help = "Prepare the demo. Log-ins are written to files in the directory, never to the terminal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--directory", type=Path, required=True, help="A private directory, such as .demo.")
        parser.add_argument("--state", type=Path, help="The emulator's state file (default: salesforce.json there).")

    def handle(self, *_: object, directory: Path, state: Path | None, **__: object) -> None:
        """Create what is missing."""
        if not settings.DEMO:
            raise CommandError("DEMO is off. This command creates made-up orgs and users; set DEMO=true to run it.")
        call_command("migrate", verbosity=0)
        write_history()
        for name, role in _USERS.items():
            _create_user(directory / f"login-{name}.json", f"{name}@acme.example", role)
        _create_token(directory / "application-token")
        urls = demo_data.auth_urls(load(state or directory / "salesforce.json"))
        registered = set(SalesforceOrg.objects.values_list("username", flat=True))
        for username, options in _REGISTERED.items():
            if username not in registered and username in urls:
                org = register(Registration(sfdx_auth_url=urls[username], **options), by=_BY)
                if username == _EXPIRED:
                    _expire(org)
        if not PoolInstance.objects.exists():
            hub = SalesforceOrg.objects.get(is_default=True)
            import_scratch_pool(hub, tag=_POOL_TAG, repository=_REPOSITORY, by=_BY)
        for file_name, username in _TO_REGISTER.items():
            _write(directory / file_name, json.dumps({"sfdxAuthUrl": urls[username], "metadata": {"team": "demo"}}))


def _expire(org: SalesforceOrg) -> None:
    """Revoke the refresh token of an org at the emulator, and let a connection test find that out."""
    credential = Credential.objects.with_secrets().get(org=org)
    url = decrypt_grant(credential).auth_url
    call_with_session(
        credential.pk, ParentSessions(org, _BY), lambda salesforce, _: salesforce.revoke(url.host, url.refresh_token)
    )
    check_connection(org, by=_BY)


def _create_user(path: Path, email: str, role: Role) -> None:
    if not path.exists() or not User.objects.filter(email=email).exists():
        User.objects.filter(email=email).delete()
        password = secrets.token_urlsafe(12)
        add_user(email=email, role=role, password=password, by=_BY)
        _write(path, json.dumps({"email": email, "password": password}))


def _create_token(path: Path) -> None:
    live = ApplicationToken.objects.filter(revoked_at=None, expires_at__gt=timezone.now())
    if not path.exists() or not live.filter(prefix=path.read_text()[:10]).exists():
        _row, value = tokens.issue(name="demo", days=tokens.DEFAULT_DAYS, by=_BY)
        _write(path, value)


def _write(path: Path, text: str) -> None:
    """Write a file atomically, readable by its owner only."""
    publish_private(path, text.encode())

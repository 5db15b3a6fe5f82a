"""Adds apps, orgs, sandboxes, scratch orgs and users to the emulated Salesforce."""

import hashlib
import string
from dataclasses import dataclass

from orgs.salesforce.emulator.models import App, Org, SandboxProcess, ScratchRecord, User
from orgs.salesforce.emulator.state import State

_BASE_62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


@dataclass(eq=False)
class Builder(State):
    """State with methods that add records to it."""

    def add_app(self, client_id: str, secret: str = "", *, rotates: bool = False, installed: bool = True) -> App:
        """Add a connected app that every org knows."""
        with self.lock:
            self.apps[client_id] = App(client_id, secret, rotates, installed)
            return self.apps[client_id]

    def add_org(
        self,
        host: str,
        *,
        username: str,
        kind: str = "production",
        organization_type: str = "Enterprise Edition",
        instance_name: str = "NA139",
        name: str = "Acme",
        is_dev_hub: bool = False,
    ) -> Org:
        """Add an org with its first user."""
        with self.lock:
            org = Org(self, host, _record_id("00D", host), kind, organization_type, instance_name, name, is_dev_hub)
            self.orgs.append(org)
            self.add_user(org, username)
            return org

    def add_sandbox(
        self, parent: Org, name: str, *, username: str | None = None, creator: User | None = None, host: str = ""
    ) -> Org:
        """Add a sandbox of a production org with a copy of its creator, by default the parent's first user."""
        domain, _, region = parent.host.partition(".my.")
        host = host or f"{domain.partition('.')[0]}--{name.lower()}.sandbox.my.{region or 'salesforce.com'}"
        creator = creator or parent.users[0]
        username = username or f"{creator.username}.{name.lower()}"
        org = self.add_org(host, username=username, kind="sandbox", instance_name="CS42", name=parent.name)
        org.parent_host, org.sandbox_name, org.creator = parent.host, name, creator.username
        with self.lock:
            parent.processes.append(_process(org, len(parent.processes)))
        return org

    def refresh_sandbox(self, sandbox: Org, *, creator: User | None = None) -> None:
        """Replace a sandbox with a new copy: a new org id, every token ends, and its parent gets another row."""
        with self.lock:
            parent = next(org for org in self.orgs if org.host == sandbox.parent_host)
            sandbox.revoke_all()
            creator = creator or next(user for user in parent.users if user.username == sandbox.creator)
            sandbox.creator = creator.username
            sandbox.org_id = _record_id("00D", f"{sandbox.host}/{len(parent.processes)}")
            sandbox.users.clear()
            self.add_user(sandbox, f"{creator.username}.{sandbox.sandbox_name.lower()}")
            parent.processes.append(_process(sandbox, len(parent.processes)))
            self.changed()

    def add_scratch_org(
        self,
        dev_hub: Org,
        *,
        username: str,
        host: str,
        expires: str = "2099-12-31",
        app: App | None = None,
        **fields: str | None,
    ) -> Org:
        """Add a scratch org to a DevHub, whose record holds an auth URL; `fields` are its custom fields."""
        org = self.add_org(
            host,
            username=username,
            kind="scratch",
            organization_type="Developer Edition",
            instance_name="USA254S",
        )
        org.parent_host, org.trial_expiration = dev_hub.host, expires
        defaults = {"SfdxAuthUrl__c": org.auth_url(app), "Pooltag__c": None, "Allocation_status__c": None}
        number = len(dev_hub.scratch_records)
        record_id = _record_id("2SR", f"{host}/{number}")
        record = ScratchRecord(record_id, org.org_id, username, org.instance_url, expires, created=number)
        record.fields = defaults | fields
        dev_hub.scratch_records.append(record)
        return org

    def add_user(self, org: Org, username: str) -> User:
        """Add a user to an org."""
        with self.lock:
            user = User(_record_id("005", f"{org.host}/{username}"), username, org)
            org.users.append(user)
            return user

    def log_in(self, user: User, app: App) -> str:
        """Create a grant and return its auth URL. The sixth of a user and app ends the oldest."""
        grant = self.new_grant(user, app)
        return f"force://{app.client_id}:{app.secret}:{grant.newest}@{user.org.host}"


def _process(sandbox: Org, number: int) -> SandboxProcess:
    record_id = _record_id("0GR", f"{sandbox.host}/{number}")
    return SandboxProcess(record_id, sandbox.sandbox_name, sandbox.org_id, created=number)


def _record_id(prefix: str, seed: str) -> str:
    """Return an 18-character record id, the same for the same seed."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:9], "big")
    digits = ""
    while len(digits) < 12:
        number, digit = divmod(number, 62)
        digits = _BASE_62[digit] + digits
    start = prefix + digits
    suffix = ""
    for part in (start[0:5], start[5:10], start[10:15]):
        bits = sum(1 << place for place, character in enumerate(part) if character in string.ascii_uppercase)
        suffix += (string.ascii_uppercase + "012345")[bits]
    return start + suffix

"""Builds the emulated world, and looks things up in it."""

import hashlib
import string
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from orgs.salesforce.emulator.front_door import Visit
from orgs.salesforce.emulator.models import (
    GRANTS_PER_USER_AND_APP,
    App,
    Grant,
    Org,
    SandboxProcess,
    ScratchRecord,
    Session,
    User,
)
from orgs.salesforce.emulator.observation import Observation
from orgs.salesforce.emulator.on_demand import Code

_BASE_62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


@dataclass(eq=False)
class Building(Observation):
    """A world of orgs behind one lock, made with add_org and its kin. The Emulator answers for it."""

    clock: Callable[[], float] = time.time
    token_latency: float = 0.0
    session_seconds: float = 7200.0
    apps: dict[str, App] = field(default_factory=dict)
    orgs: list[Org] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict, repr=False)
    codes: dict[str, Code] = field(default_factory=dict, repr=False)
    visits: dict[str, Visit] = field(default_factory=dict, repr=False)
    gateway: str = ""  # where one-time links lead to when no browser can reach the orgs' own hosts
    on_change: Callable[[Any], None] | None = None
    _counter: int = 0

    def __post_init__(self) -> None:
        if "PlatformCLI" not in self.apps:
            self.add_app("PlatformCLI")

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
            org = Org(self, host, self._id("00D", host), kind, organization_type, instance_name, name, is_dev_hub)
            self.orgs.append(org)
            self.add_user(org, username)
            return org

    def add_sandbox(
        self, parent: Org, name: str, *, username: str | None = None, creator: User | None = None, host: str = ""
    ) -> Org:
        """Add a sandbox of a production org, with a copy of the user who made it: the first, if not told."""
        host = host or f"{parent.host.partition('.')[0]}--{name.lower()}.sandbox.my.salesforce.com"
        maker = creator or parent.users[0]
        username = username or f"{maker.username}.{name.lower()}"
        org = self.add_org(host, username=username, kind="sandbox", instance_name="CS42", name=parent.name)
        org.parent_host, org.sandbox_name, org.creator = parent.host, name, maker.username
        with self.lock:
            parent.processes.append(self._process_of(org, len(parent.processes)))
        return org

    def refresh_sandbox(self, sandbox: Org, *, creator: User | None = None) -> None:
        """Copy a sandbox anew: another org id, no token lives on, and a row more in its parent."""
        with self.lock:
            parent = next(org for org in self.orgs if org.host == sandbox.parent_host)
            sandbox.revoke_all()
            maker = creator or next(user for user in parent.users if user.username == sandbox.creator)
            sandbox.creator = maker.username
            sandbox.org_id = self._id("00D", f"{sandbox.host}/{len(parent.processes)}")
            sandbox.users.clear()
            self.add_user(sandbox, f"{maker.username}.{sandbox.sandbox_name.lower()}")
            parent.processes.append(self._process_of(sandbox, len(parent.processes)))
            self.changed()

    def _process_of(self, sandbox: Org, number: int) -> SandboxProcess:
        record_id = self._id("0GR", f"{sandbox.host}/{number}")
        return SandboxProcess(record_id, sandbox.sandbox_name, sandbox.org_id, created=number)

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
        """Add a scratch org of a DevHub, whose record holds an auth URL; `fields` are custom fields of it."""
        org = self.add_org(
            host,
            username=username,
            kind="scratch",
            organization_type="Developer Edition",
            instance_name="USA254S",
        )
        org.parent_host, org.trial_expiration = dev_hub.host, expires
        kept: dict[str, str | None] = {
            "SfdxAuthUrl__c": org.auth_url(app),
            "Pooltag__c": None,
            "Allocation_status__c": None,
        }
        number = len(dev_hub.scratch_records)
        record_id = self._id("2SR", f"{host}/{number}")
        record = ScratchRecord(record_id, org.org_id, username, org.instance_url, expires, created=number)
        record.fields = kept | fields
        dev_hub.scratch_records.append(record)
        return org

    def add_user(self, org: Org, username: str) -> User:
        """Add a user to an org."""
        with self.lock:
            user = User(self._id("005", f"{org.host}/{username}"), username, org)
            org.users.append(user)
            return user

    def log_in(self, user: User, app: App) -> str:
        """Make a grant and return its auth URL. The sixth of a user and app ends the oldest."""
        grant = self.new_grant(user, app)
        return f"force://{app.client_id}:{app.secret}:{grant.newest}@{user.org.host}"

    def new_grant(self, user: User, app: App) -> Grant:
        """Make a grant. The sixth of a user and app ends the oldest."""
        with self.lock:
            grant = Grant(user, app, self.new_secret("5Aep861"))
            self.grants.append(grant)
            alive = [old for old in self.grants if old.user is user and old.app is app and old.alive]
            for old in alive[:-GRANTS_PER_USER_AND_APP]:
                self.end_grants(lambda each, oldest=old: each is oldest)  # type: ignore[misc]
            self.changed()
            return grant

    def end_grants(self, wanted: Callable[[Grant], bool]) -> None:
        """End grants, with their refresh and access tokens."""
        with self.lock:
            for grant in filter(wanted, self.grants):
                grant.alive = False
                for session in self.sessions.values():
                    if session.grant is grant:
                        session.alive = False
            self.changed()

    # --- Looking ----------------------------------------------------------------------------

    def family_of(self, secret: str) -> Grant | None:
        """Return the grant that an auth URL or refresh token, spent or not, belongs to."""
        token = secret.removeprefix("force://").partition("@")[0].rpartition(":")[2]
        with self.lock:
            return next((grant for grant in self.grants if token == grant.newest or token in grant.spent), None)

    def is_alive(self, secret: str) -> bool:
        """Tell whether the family of an auth URL or refresh token still works."""
        grant = self.family_of(secret)
        return grant is not None and grant.alive

    def org_at(self, host: str) -> Org | None:
        """Return the org that lives, or lived, at a host."""
        with self.lock:
            return next((org for org in self.orgs if host == org.host or host in org.former_hosts), None)

    def new_secret(self, prefix: str) -> str:
        """Return a token that was never given before."""
        with self.lock:
            self._counter += 1
            digest = hashlib.sha256(f"{id(self)}/{time.time_ns()}/{self._counter}".encode()).hexdigest()
            return f"{prefix}{self._counter}{digest[:40]}"

    def changed(self) -> None:
        """Tell whoever keeps the world on disk that it changed."""
        if self.on_change:
            self.on_change(self)

    def _id(self, prefix: str, seed: str) -> str:
        """Return an 18-character record id, the same for the same seed."""
        number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:9], "big")
        digits = ""
        while len(digits) < 12:
            number, rest_of_it = divmod(number, 62)
            digits = _BASE_62[rest_of_it] + digits
        start = prefix + digits
        suffix = ""
        for part in (start[0:5], start[5:10], start[10:15]):
            bits = sum(1 << place for place, character in enumerate(part) if character in string.ascii_uppercase)
            suffix += (string.ascii_uppercase + "012345")[bits]
        return start + suffix

"""Records of the emulated Salesforce: orgs, users, apps, grants, sessions and one-time codes."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

GRANTS_PER_USER_AND_APP = 5
DEFAULT_APP = "PlatformCLI"
# Each region has log-in hosts of its own.
_LOGIN_DOMAINS = {"com": "salesforce.com", "mil": "salesforce.mil", "cn": "sfcrmproducts.cn"}
LOGIN_HOSTS = {
    f"{name}.{domain}": kinds
    for domain in _LOGIN_DOMAINS.values()
    for name, kinds in (("login", ("production",)), ("test", ("sandbox", "scratch")))
}
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(eq=False)
class App:
    """A connected app. A rotating one issues a new refresh token with each refresh.

    With `jwt_length`, its access tokens are JWTs of that many characters, as External Client Apps may issue.
    """

    client_id: str
    secret: str = field(default="", repr=False)
    rotates: bool = False
    installed: bool = True
    blocked: bool = False
    jwt_length: int = 0


@dataclass(eq=False)
class User:
    """A user of one org."""

    user_id: str
    username: str
    org: "Org" = field(repr=False)
    active: bool = True
    approved: bool = True
    api_only: bool = False

    def deactivate(self) -> None:
        """Deactivate the user; Salesforce refuses further refreshes."""
        self.active = False


@dataclass(eq=False)
class Grant:
    """One user's authorization of one app: a family of refresh tokens, of which only the newest works."""

    user: User
    app: App
    newest: str = field(repr=False)
    spent: set[str] = field(default_factory=set, repr=False)
    alive: bool = True
    busy: bool = False


@dataclass(eq=False)
class Session:
    """An access token."""

    token: str = field(repr=False)
    grant: Grant = field(repr=False)
    expires_at: float
    alive: bool = True


@dataclass(eq=False)
class AuthorizationCode:
    """A single-use OAuth authorization code for one app and callback."""

    user: User = field(repr=False)
    app: App = field(repr=False)
    callback: str


@dataclass(eq=False)
class Visit:
    """A one-time front-door code, and the browser session it becomes once it is `entered`."""

    user: User = field(repr=False)
    page: str
    entered: bool = False


@dataclass
class SandboxProcess:
    """A SandboxProcess row of a production org: one creation or refresh of a sandbox."""

    record_id: str
    sandbox_name: str
    org_id: str
    status: str = "Completed"
    created: int = 0  # A counter: the row with the highest value is the state of the sandbox.


@dataclass
class ScratchRecord:
    """A ScratchOrgInfo row of a DevHub. `fields` holds the custom fields, secrets among them."""

    record_id: str
    org_id: str
    username: str
    login_url: str
    expires: str
    status: str = "Active"
    created: int = 0
    fields: dict[str, str | None] = field(default_factory=dict, repr=False)


class OrgOperations(Protocol):
    """What an org needs of the emulator it belongs to. Builder implements it."""

    apps: dict[str, App]
    lock: threading.RLock

    def add_user(self, org: "Org", username: str) -> User:
        """Add a user to an org."""

    def log_in(self, user: User, app: App) -> str:
        """Authorize an app for a user and return the auth URL."""

    def refresh_sandbox(self, sandbox: "Org", *, creator: User | None = None) -> None:
        """Replace a sandbox with a new copy of its parent."""

    def end_grants(self, ends: Callable[[Grant], bool]) -> None:
        """End the matching grants with all their tokens."""


@dataclass(eq=False)
class Org:
    """An org of any kind. `host` is its current host; `creator` is the parent's user who made the sandbox."""

    emulator: OrgOperations = field(repr=False)
    host: str
    org_id: str
    kind: str
    organization_type: str
    instance_name: str
    name: str
    is_dev_hub: bool
    active: bool = True
    deleted: bool = False
    ip_restricted: bool = False
    limits_api_access: bool = False  # API Access Control admits none of the apps.
    trial_expiration: str | None = None
    parent_host: str = ""
    sandbox_name: str = ""
    creator: str = ""
    scratch_info_is_read_only: bool = False
    processes: list[SandboxProcess] = field(default_factory=list, repr=False)
    scratch_records: list[ScratchRecord] = field(default_factory=list, repr=False)
    users: list[User] = field(default_factory=list, repr=False)
    former_hosts: set[str] = field(default_factory=set, repr=False)

    @property
    def login_host(self) -> str:
        """Return the log-in host of its kind in its region."""
        name = "login" if self.kind == "production" else "test"
        return f"{name}.{_LOGIN_DOMAINS.get(self.host.rpartition('.')[2], 'salesforce.com')}"

    @property
    def instance_url(self) -> str:
        """The `instance_url` of token responses."""
        return f"https://{self.host}"

    @property
    def username(self) -> str:
        """The username of the first user."""
        return self.users[0].username

    def add_user(self, username: str) -> User:
        """Add a user."""
        return self.emulator.add_user(self, username)

    def auth_url(self, app: App | None = None, user: User | None = None) -> str:
        """Authorize an app for a user and return the auth URL. The sixth grant of both ends the oldest."""
        return self.emulator.log_in(user or self.users[0], app or self.emulator.apps[DEFAULT_APP])

    def move_to(self, host: str) -> None:
        """Change the org's host; the old one still accepts token requests."""
        with self.emulator.lock:
            self.former_hosts.add(self.host)
            self.host = host

    def suspend(self) -> None:
        """Lock the org."""
        with self.emulator.lock:
            self.active = False

    def delete(self) -> None:
        """Delete the org: its hosts serve an HTML page and its tokens stop working."""
        with self.emulator.lock:
            self.deleted = True

    def refresh_sandbox(self, *, creator: User | None = None) -> None:
        """Replace the sandbox with a new copy of its parent: a new org id, and every token ends."""
        self.emulator.refresh_sandbox(self, creator=creator)

    def scratch_record(self, username: str) -> ScratchRecord:
        """Return the DevHub's newest record of a scratch org."""
        return [record for record in self.scratch_records if record.username == username][-1]

    def revoke_all(self) -> None:
        """End every grant and session of the org."""
        self.emulator.end_grants(lambda grant: grant.user.org is self)

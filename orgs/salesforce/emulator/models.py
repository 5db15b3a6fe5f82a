"""The things of the emulated world: orgs, users, apps, grants and sessions."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orgs.salesforce.emulator.builder import Building

GRANTS_PER_USER_AND_APP = 5
LOGIN_HOSTS = {"login.salesforce.com": ("production",), "test.salesforce.com": ("sandbox", "scratch")}
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(eq=False)
class App:
    """A connected app. A rotating one gives a new refresh token at each refresh."""

    client_id: str
    secret: str = field(default="", repr=False)
    rotates: bool = False
    installed: bool = True


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
        """Switch the user off; refreshes are refused from now on."""
        self.active = False


@dataclass(eq=False)
class Grant:
    """What a user gave an app: a family of refresh tokens, of which the newest works."""

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


@dataclass
class SandboxProcess:
    """One creation or refresh of a sandbox, as its production org knows it."""

    record_id: str
    sandbox_name: str
    org_id: str
    status: str = "Completed"
    created: int = 0  # counts up: the newest is the state of the sandbox


@dataclass
class ScratchRecord:
    """A ScratchOrgInfo row of a DevHub. `fields` holds the custom ones, secrets among them."""

    record_id: str
    org_id: str
    username: str
    login_url: str
    expires: str
    status: str = "Active"
    created: int = 0
    fields: dict[str, str | None] = field(default_factory=dict, repr=False)


@dataclass(eq=False)
class Org:
    """An org of any kind. `host` is where it lives now; `creator` made the sandbox, in its parent."""

    world: "Building" = field(repr=False)
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
    def instance_url(self) -> str:
        """Where the org lives, as token answers say."""
        return f"https://{self.host}"

    @property
    def username(self) -> str:
        """The username of the first user."""
        return self.users[0].username

    def add_user(self, username: str) -> User:
        """Add a user."""
        return self.world.add_user(self, username)

    def auth_url(self, app: App | None = None, user: User | None = None) -> str:
        """Log a user in to an app and return the auth URL. The sixth grant ends the oldest."""
        return self.world.log_in(user or self.users[0], app or self.world.apps["PlatformCLI"])

    def move_to(self, host: str) -> None:
        """Give the org another host; the old one still takes token requests."""
        with self.world.lock:
            self.former_hosts.add(self.host)
            self.host = host

    def suspend(self) -> None:
        """Lock the org."""
        with self.world.lock:
            self.active = False

    def delete(self) -> None:
        """Delete the org: its hosts show a page, its tokens are gone."""
        with self.world.lock:
            self.deleted = True

    def refresh_sandbox(self, *, creator: User | None = None) -> None:
        """Copy the sandbox anew from its parent: another org id, and no token lives on."""
        self.world.refresh_sandbox(self, creator=creator)

    def scratch_record(self, username: str) -> ScratchRecord:
        """Return the DevHub's newest record of a scratch org."""
        return [record for record in self.scratch_records if record.username == username][-1]

    def revoke_all(self) -> None:
        """End every grant and session of the org."""
        self.world.end_grants(lambda grant: grant.user.org is self)

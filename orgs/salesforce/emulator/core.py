"""The core: holds the world, answers requests, refuses what Salesforce refuses."""

import hashlib
import string
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orgs.salesforce.emulator import oauth, rest, texts
from orgs.salesforce.emulator.observation import Call, Observation
from orgs.salesforce.emulator.wire import Request, Response, rest_error
from orgs.salesforce.emulator.world import (
    GRANTS_PER_USER_AND_APP,
    LOCAL_HOSTS,
    LOGIN_HOSTS,
    App,
    Grant,
    Org,
    Session,
    User,
)

if TYPE_CHECKING:
    from orgs.salesforce.emulator.server import EmulatorServer

_BASE_62 = string.digits + string.ascii_uppercase + string.ascii_lowercase

# Path prefix -> what answers it; the longest prefix wins. A later part of the world adds its own.
Route = Callable[["Emulator", Request], Response]
ROUTES: list[tuple[str, Route]] = [
    ("/services/oauth2/token", oauth.token),
    ("/services/oauth2/revoke", oauth.revoke),
    ("/services/oauth2/userinfo", rest.userinfo),
    ("/id/", rest.identity),
    ("/services/data", rest.data),
]


@dataclass(eq=False)
class Emulator(Observation):
    """A world of orgs behind one lock. Build it with add_org and its kin; ask it with `answer`."""

    clock: Callable[[], float] = time.time
    token_latency: float = 0.0
    session_seconds: float = 7200.0
    apps: dict[str, App] = field(default_factory=dict)
    orgs: list[Org] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict, repr=False)
    on_change: Callable[["Emulator"], None] | None = None
    _counter: int = 0

    def __post_init__(self) -> None:
        if "PlatformCLI" not in self.apps:
            self.add_app("PlatformCLI")

    # --- Building the world ------------------------------------------------------------------

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

    def add_sandbox(self, parent: Org, name: str, *, username: str | None = None) -> Org:
        """Add a sandbox of a production org, with a copy of its first user."""
        host = f"{parent.host.partition('.')[0]}--{name.lower()}.sandbox.my.salesforce.com"
        username = username or f"{parent.username}.{name.lower()}"
        org = self.add_org(host, username=username, kind="sandbox", instance_name="CS42", name=parent.name)
        org.parent_host = parent.host
        return org

    def add_scratch_org(self, dev_hub: Org, *, username: str, host: str, expires: str = "2099-12-31") -> Org:
        """Add a scratch org of a DevHub."""
        org = self.add_org(
            host,
            username=username,
            kind="scratch",
            organization_type="Developer Edition",
            instance_name="USA254S",
        )
        org.parent_host, org.trial_expiration = dev_hub.host, expires
        return org

    def add_user(self, org: Org, username: str) -> User:
        """Add a user to an org."""
        with self.lock:
            user = User(self._id("005", f"{org.host}/{username}"), username, org)
            org.users.append(user)
            return user

    def log_in(self, user: User, app: App) -> str:
        """Make a grant and return its auth URL. The sixth of a user and app ends the oldest."""
        with self.lock:
            grant = Grant(user, app, self.new_secret("5Aep861"))
            self.grants.append(grant)
            alive = [old for old in self.grants if old.user is user and old.app is app and old.alive]
            for old in alive[:-GRANTS_PER_USER_AND_APP]:
                self.end_grants(lambda each, oldest=old: each is oldest)  # type: ignore[misc]
            self.changed()
            return f"force://{app.client_id}:{app.secret}:{grant.newest}@{user.org.host}"

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

    # --- Answering ---------------------------------------------------------------------------

    def knows_host(self, host: str) -> bool:
        """Tell whether anything answers at this host; a foreign name does not resolve."""
        return host in LOCAL_HOSTS or host in LOGIN_HOSTS or self.org_at(host) is not None

    def answer(self, request: Request) -> Response:
        """Answer one request, faults included."""
        started = self.clock()
        fault = self.next_fault(request)
        response = Response(0) if fault and not fault.processed else self._process(request)
        if fault:
            response = fault.change(response)
        form = request.form if request.path.startswith("/services/oauth2") else {}
        call = Call(
            request.method,
            request.host,
            request.path,
            form.get("grant_type", ""),
            response.status,
            started,
            self.clock(),
        )
        with self.lock:
            self.calls.append(call)
        return response

    def _process(self, request: Request) -> Response:
        org = self.org_at(request.host)
        if org is not None and org.deleted:
            return Response(200, texts.DATA_NOT_AVAILABLE_PAGE, "text/html")
        fitting = [(prefix, route) for prefix, route in ROUTES if request.path.startswith(prefix)]
        if not fitting:
            return rest_error(404, *texts.NOT_FOUND)
        _, route = max(fitting, key=lambda entry: len(entry[0]))
        return route(self, request)

    def org_at(self, host: str) -> Org | None:
        """Return the org that lives, or lived, at a host."""
        with self.lock:
            return next((org for org in self.orgs if host == org.host or host in org.former_hosts), None)

    def session_of(self, request: Request) -> Session | None:
        """Return the live session of a request's bearer, if it is good at the request's host."""
        with self.lock:
            session = self.sessions.get(request.bearer)
            if session is None or not session.alive or session.expires_at <= self.clock():
                return None
            if request.host not in LOCAL_HOSTS and self.org_at(request.host) is not session.grant.user.org:
                return None
            return session

    @contextmanager
    def one_refresh_at_a_time(self, grant: Grant) -> Iterator[bool]:
        """Hold a grant for a token request; gives False when another request holds it."""
        with self.lock:
            free, grant.busy = not grant.busy, True
        try:
            if free and self.token_latency:
                time.sleep(self.token_latency)
            yield free
        finally:
            if free:
                with self.lock:
                    grant.busy = False

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

    def serve(self, *, tls: bool = False, port: int = 0) -> "EmulatorServer":
        """Open the HTTP door on loopback; use it as a context manager."""
        from orgs.salesforce.emulator.server import EmulatorServer

        return EmulatorServer(self, tls=tls, port=port)

    def install(self, mock: Any) -> None:
        """Open the door in a `responses` mock: every https call of this process comes here."""
        from orgs.salesforce.emulator.responses_door import install

        install(self, mock)

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

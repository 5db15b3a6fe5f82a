"""State of the emulated Salesforce: everything that request handlers read and change."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from orgs.salesforce.emulator.models import (
    DEFAULT_APP,
    GRANTS_PER_USER_AND_APP,
    LOCAL_HOSTS,
    App,
    AuthorizationCode,
    Grant,
    Org,
    Session,
    User,
    Visit,
)
from orgs.salesforce.emulator.observation import Observation
from orgs.salesforce.emulator.wire import Request


@dataclass(eq=False)
class State(Observation):
    """Orgs, apps, grants, sessions and codes behind one lock, beside the observed calls and injected faults.

    `gateway` replaces the orgs' hosts in front-door links when no browser can reach them. `on_change`
    is called after each change of a token or record.
    """

    clock: Callable[[], float] = time.time
    token_latency: float = 0.0
    session_seconds: float = 7200.0
    apps: dict[str, App] = field(default_factory=lambda: {DEFAULT_APP: App(DEFAULT_APP)})
    orgs: list[Org] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict, repr=False)
    codes: dict[str, AuthorizationCode] = field(default_factory=dict, repr=False)
    visits: dict[str, Visit] = field(default_factory=dict, repr=False)
    gateway: str = ""
    on_change: Callable[["State"], None] | None = None
    _counter: int = 0

    # --- Look-ups -----------------------------------------------------------------------------

    def family_of(self, secret: str) -> Grant | None:
        """Return the grant that an auth URL or refresh token, spent or not, belongs to."""
        token = secret.removeprefix("force://").partition("@")[0].rpartition(":")[2]
        with self.lock:
            return next((grant for grant in self.grants if token == grant.newest or token in grant.spent), None)

    def is_alive(self, secret: str) -> bool:
        """Return True if the grant of an auth URL or refresh token still works."""
        grant = self.family_of(secret)
        return grant is not None and grant.alive

    def org_at(self, host: str) -> Org | None:
        """Return the org whose current or former host this is."""
        with self.lock:
            return next((org for org in self.orgs if host == org.host or host in org.former_hosts), None)

    def session_of(self, request: Request) -> Session | None:
        """Return the session of a request's bearer token, None if it has ended or belongs to another host."""
        with self.lock:
            session = self.sessions.get(request.bearer)
            if session is None or not session.alive or session.expires_at <= self.clock():
                return None
            if request.host not in LOCAL_HOSTS and self.org_at(request.host) is not session.grant.user.org:
                return None
            return session

    # --- Changes ------------------------------------------------------------------------------

    def new_grant(self, user: User, app: App) -> Grant:
        """Create a grant. The sixth of a user and app ends the oldest."""
        with self.lock:
            grant = Grant(user, app, self.new_secret("5Aep861"))
            self.grants.append(grant)
            alive = [old for old in self.grants if old.user is user and old.app is app and old.alive]
            oldest = alive[:-GRANTS_PER_USER_AND_APP]
            self.end_grants(lambda each: each in oldest)
            return grant

    def end_grants(self, ends: Callable[[Grant], bool]) -> None:
        """End the grants for which `ends` returns True, with their refresh and access tokens."""
        with self.lock:
            for grant in filter(ends, self.grants):
                grant.alive = False
                for session in self.sessions.values():
                    if session.grant is grant:
                        session.alive = False
            self.changed()

    def new_secret(self, prefix: str) -> str:
        """Return a token that has not been issued before."""
        with self.lock:
            self._counter += 1
            digest = hashlib.sha256(f"{id(self)}/{time.time_ns()}/{self._counter}".encode()).hexdigest()
            return f"{prefix}{self._counter}{digest[:40]}"

    def changed(self) -> None:
        """Call the `on_change` hook, which saves the state of the demo."""
        if self.on_change:
            self.on_change(self)

    @contextmanager
    def one_refresh_at_a_time(self, grant: Grant) -> Iterator[bool]:
        """Hold a grant for one token request; yields False while another request holds it."""
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

"""Tests the stored credentials of many orgs concurrently."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connections
from django.utils import timezone

from authn.database.connections import release_database
from authn.principals import Principal
from orgs.connections.check import ConnectionResult, check_connection
from orgs.credentials.errors import CredentialTampered, OrgError
from orgs.credentials.failures import BY_CODE
from orgs.credentials.models import Credential, Health
from orgs.credentials.replay import replay
from orgs.errors import AmbiguousSandbox, OrgNotFound, RegistrationRefused
from orgs.lookup import find_org
from orgs.models import SalesforceOrg


class UnknownOrgs(Exception):
    """Some names match no registered org, or several. The message lists them."""


@dataclass(frozen=True, slots=True)
class CheckedOrg:
    """The result of one connection test. `state` is the health of the credential after the test."""

    org: SalesforceOrg
    state: Health
    error: OrgError | None
    at: datetime

    @property
    def needs_owner(self) -> bool:
        """Return True if the failure is permanent: a later test fails again until an owner acts."""
        if self.error is None:
            return False
        failure = BY_CODE.get(self.error.code)
        return isinstance(self.error, CredentialTampered | RegistrationRefused) or bool(failure and failure.permanent)


def orgs_named(names: Sequence[str]) -> list[SalesforceOrg]:
    """Return the orgs with these usernames or sandbox names, without duplicates; all orgs for no names.

    Raises UnknownOrgs, which lists every name that was not found or is ambiguous.
    """
    if not names:
        return list(SalesforceOrg.objects.all())
    found: dict[int, SalesforceOrg] = {}
    unknown: list[str] = []
    for name in names:
        try:
            org = find_org(name)
        except (OrgNotFound, AmbiguousSandbox) as error:
            unknown.append(str(error))
        else:
            found[org.pk] = org
    if unknown:
        raise UnknownOrgs(" ".join(unknown))
    return list(found.values())


def check_connections(
    orgs: Iterable[SalesforceOrg], *, by: Principal, concurrency: int, on_progress: Callable[[], None] = lambda: None
) -> list[CheckedOrg]:
    """Test the connections of orgs, `concurrency` at a time but at most half of WEB_THREADS.

    Commits spooled token responses first. Calls `on_progress` after each org. Returns the orgs that
    need an owner first, then other errors, each by username; orgs deleted meanwhile are left out. An
    interrupt waits for the running tests, because a response may hold the next refresh token. Raises
    OSError if the spool cannot be read.
    """
    replay()
    release_database()
    with ThreadPoolExecutor(max(1, min(concurrency, settings.WEB_THREADS // 2))) as pool:
        futures = [pool.submit(_check, org, by) for org in orgs]
        try:
            checked = [result for result in _completed(futures, on_progress) if result]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return sorted(checked, key=lambda each: (not each.needs_owner, each.error is None, each.org.username.lower()))


def _completed(
    futures: "list[Future[CheckedOrg | None]]", on_progress: Callable[[], None]
) -> Iterable[CheckedOrg | None]:
    for future in as_completed(futures):
        yield future.result()
        on_progress()


def _check(org: SalesforceOrg, by: Principal) -> CheckedOrg | None:
    """Test one org in a worker thread, and close the thread's database connections."""
    try:
        result = check_connection(org, by=by)
        return CheckedOrg(result.org, _state_of(result), result.error, timezone.now())
    except OrgNotFound:
        return None
    finally:
        connections.close_all()


def _state_of(result: ConnectionResult) -> Health:
    """Return the current health of the org's credential; EXPIRED for an org without one."""
    row = Credential.objects.filter(org__pk=result.org.pk).first()
    return Health(row.health) if row else Health.EXPIRED

"""Asks Salesforce of many orgs, side by side, whether their stored credentials still work."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connections
from django.utils import timezone

from authn.database.connections import release_database
from authn.principals import Principal
from orgs.connection_check import Verdict, check_connection
from orgs.credentials.errors import CredentialTampered, OrgError
from orgs.credentials.failures import BY_CODE
from orgs.credentials.models import Credential, Health
from orgs.credentials.replay import replay
from orgs.errors import AmbiguousSandbox, OrgNotFound, RegistrationRefused
from orgs.lookup import find_org
from orgs.models import SalesforceOrg


class UnknownOrgs(Exception):
    """Some names stand for no registered org, or for several; the text tells which."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of the check of one org. `state` is that of the credential, after the check."""

    org: SalesforceOrg
    state: str
    error: OrgError | None
    at: datetime

    @property
    def is_dead(self) -> bool:
        """Tell whether an owner must act: waiting, or asking again, would end the same way."""
        if self.error is None:
            return False
        ending = BY_CODE.get(self.error.code)
        return isinstance(self.error, CredentialTampered | RegistrationRefused) or bool(ending and ending.permanent)


def orgs_named(names: Sequence[str]) -> list[SalesforceOrg]:
    """Return the orgs of these usernames or sandbox names, each once; all orgs when none is named.

    Raises UnknownOrgs, which names all that were not found.
    """
    if not names:
        return list(SalesforceOrg.objects.all())
    found, unknown = {}, []
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
    orgs: Iterable[SalesforceOrg], *, by: Principal, side_by_side: int, tell: Callable[[], None] = lambda: None
) -> list[Checked]:
    """Check orgs, some at a time but never more than half of WEB_THREADS; the dead come first.

    Answers that lie in the spool are brought home before. Calls `tell` after each org. One that was
    deleted meanwhile is left out. When it is interrupted, checks under way come to their end, because
    an answer may hold the next refresh token. Raises OSError when the spool cannot be read.
    """
    replay()
    release_database()
    with ThreadPoolExecutor(max(1, min(side_by_side, settings.WEB_THREADS // 2))) as pool:
        futures = [pool.submit(_check, org, by) for org in orgs]
        try:
            checked = [result for result in _each(futures, tell) if result]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return sorted(checked, key=lambda each: (not each.is_dead, each.error is None, each.org.username.lower()))


def _each(futures: "list[Future[Checked | None]]", tell: Callable[[], None]) -> Iterable[Checked | None]:
    for future in as_completed(futures):
        yield future.result()
        tell()


def _check(org: SalesforceOrg, by: Principal) -> Checked | None:
    """Check one org in a thread of the pool, which keeps no database connection afterwards."""
    try:
        verdict = check_connection(org, by=by)
        return Checked(verdict.org, _state_of(verdict), verdict.error, timezone.now())
    except OrgNotFound:
        return None
    finally:
        connections.close_all()


def _state_of(verdict: Verdict) -> str:
    """Return the health of the org's credential as it stands now; an org that has none is as good as expired."""
    row = Credential.objects.filter(org__pk=verdict.org.pk).first()
    return row.health if row else Health.EXPIRED

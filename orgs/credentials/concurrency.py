"""The one Salesforce client of this process, and how many of its threads may wait for Salesforce.

One org that hangs must not take every thread: at most four calls go to one org, and half of the
threads upstream at all. Whoever comes beyond these waits a little for a place (design 9.9).
"""

import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from django.conf import settings

from authn import audit
from authn.database.connections import release_database
from orgs.credentials.failures import error_for
from orgs.credentials.refresh_lock import MARGIN_SECONDS
from orgs.salesforce import HostPolicy, SalesforceClient, Transport

SLOTS_PER_ORG = 4
_MAX_WAIT_SECONDS = 5.0

_changed = threading.Condition()
_calls: Counter[uuid.UUID] = Counter()


def host_policy() -> HostPolicy:
    """Return which hosts may be called."""
    return HostPolicy(tuple(domain.lower() for domain in settings.SALESFORCE_EXTRA_DOMAINS))


@contextmanager
def salesforce_slot(credential_id: uuid.UUID) -> Iterator[SalesforceClient]:
    """Give the client that all threads share, while this thread has a place among those upstream.

    No database connection is held inside. Raises SalesforceUnavailable (UPSTREAM_BUSY) when no
    place was free for some seconds, and AuditUnavailable unless an audit row can be written: what
    Salesforce answers could not be handed out.
    """
    audit.require_writable()
    release_database()
    with _changed:
        if not _changed.wait_for(lambda: _is_free(credential_id), timeout=_max_wait()):
            raise error_for("UPSTREAM_BUSY")
        _calls[credential_id] += 1
    try:
        yield _salesforce()
    finally:
        with _changed:
            _calls[credential_id] -= 1
            if not _calls[credential_id]:
                del _calls[credential_id]
            _changed.notify_all()


def _is_free(credential_id: uuid.UUID) -> bool:
    return _calls[credential_id] < SLOTS_PER_ORG and _calls.total() < max(1, settings.WEB_THREADS // 2)


def _max_wait() -> float:
    """How long to wait for a place: whoever waits may hold a lease, which must outlast the call."""
    spare = settings.REFRESH_LOCK_SECONDS - settings.SALESFORCE_TIMEOUT_SECONDS - MARGIN_SECONDS
    return float(max(0.0, min(_MAX_WAIT_SECONDS, spare)))


def _salesforce() -> SalesforceClient:
    return _client(
        host_policy(),
        settings.SALESFORCE_TIMEOUT_SECONDS,
        settings.SALESFORCE_PROXY,
        settings.SALESFORCE_CA_BUNDLE,
        settings.SALESFORCE_GATEWAY,
        settings.SALESFORCE_API_VERSION,
        tuple(settings.SALESFORCE_ALLOWED_NETWORKS),
    )


@lru_cache(maxsize=4)
def _client(
    policy: HostPolicy,
    timeout: float,
    proxy: str,
    ca_bundle: str,
    gateway: str,
    api_version: str,
    allowed_networks: tuple[str, ...],
) -> SalesforceClient:
    transport = Transport(
        policy,
        timeout_seconds=timeout,
        proxy=proxy,
        ca_bundle=ca_bundle,
        gateway=gateway,
        allowed_networks=allowed_networks,
    )
    return SalesforceClient(transport, policy, api_version=api_version)

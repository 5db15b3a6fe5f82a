"""The Salesforce client that this process shares, and a limit on how many threads call Salesforce at once.

An org that hangs must not occupy every thread: at most four threads call one org, and at most half of
WEB_THREADS call Salesforce. A further caller waits up to five seconds for a slot and then gets 503.
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
    """Return the policy of hosts that the desk may call: Salesforce's, and SALESFORCE_EXTRA_DOMAINS."""
    return HostPolicy(tuple(domain.lower() for domain in settings.SALESFORCE_EXTRA_DOMAINS))


@contextmanager
def salesforce_slot(credential_id: uuid.UUID) -> Iterator[SalesforceClient]:
    """Yield the shared client while this thread occupies a slot for calls with a credential.

    No database connection is held meanwhile. Raises SalesforceUnavailable (UPSTREAM_BUSY) if no slot became
    free in time, and AuditUnavailable unless an audit row can be written: without one, nothing that Salesforce
    returns may be issued.
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
    """Return the seconds to wait for a slot. The caller may hold a refresh lock, which must outlast the call."""
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

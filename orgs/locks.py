"""Serialises the few, short transactions that change which orgs are registered.

Owners register, delete and change the default rarely. One lock for all of these is simpler than making
each safe against each other, and refreshes do not take it. Refreshes and org writes meet at the rows, and
both lock in the same order: a credential before the org that owns it.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from orgs.credentials.models import Credential
from orgs.credentials.session_results import CredentialGone

_ORG_WRITES = 0x46_44_6F_72_67  # "FDorg", distinct from other users of advisory locks
# This queue advances, so a waiter is not limited by lock_timeout, only by statement_timeout.
_ACQUIRE = """
    SET LOCAL lock_timeout = 0;
    SELECT pg_advisory_xact_lock(%s);
    SET LOCAL lock_timeout TO DEFAULT
"""


@contextmanager
def org_write_transaction() -> Iterator[None]:
    """Open a transaction that excludes all other transactions opened by this function.

    On SQLite a transaction is exclusive as it begins (transaction_mode=IMMEDIATE).
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(_ACQUIRE, [_ORG_WRITES])
        yield


def lock_credential(credential_id: uuid.UUID | None) -> Credential | None:
    """Return a credential, locked until the transaction ends; None if it was deleted.

    Lock every credential that is to be changed or deleted before the first org is written: an attempt that
    ends meanwhile has locked its credential, and writes to its org next.
    """
    if credential_id is None:
        return None
    return Credential.objects.select_for_update(of=("self",)).filter(pk=credential_id).first()


def require_locked_credential(credential_id: uuid.UUID) -> Credential:
    """Return a credential, locked until the transaction ends. Raises CredentialGone if it was deleted."""
    credential = lock_credential(credential_id)
    if credential is None:
        raise CredentialGone
    return credential

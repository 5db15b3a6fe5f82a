"""Serialises the few, short transactions that change which orgs are registered.

Registering, moving the default and deleting are rare deeds of owners. Letting them in one at a
time is simpler than making each of them safe against each other, and costs nobody anything:
minting tokens does not come this way. It meets them at the rows: there the order is, for both, a
credential before the org that has it.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from orgs.credentials.models import Credential

_ORG_WRITES = 0x46_44_6F_72_67  # "FDorg", to keep clear of other users of advisory locks
# The queue moves, so it is worth more patience than a lock that somebody forgot: up to the statement's time-out.
_TAKE_TURN = """
    SET LOCAL lock_timeout = 0;
    SELECT pg_advisory_xact_lock(%s);
    SET LOCAL lock_timeout TO DEFAULT
"""


@contextmanager
def one_org_writer() -> Iterator[None]:
    """Open a transaction that no other writer of orgs shares.

    On SQLite a transaction is exclusive as it begins (transaction_mode=IMMEDIATE).
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(_TAKE_TURN, [_ORG_WRITES])
        yield


def lock_credential(identifier: uuid.UUID | None) -> Credential | None:
    """Return a credential, locked until the transaction ends; None when it is gone.

    A writer of orgs locks what it is going to change or delete before it writes the first org: an
    attempt that ends meanwhile has the credential, and goes on to write to its org.
    """
    if identifier is None:
        return None
    return Credential.objects.select_for_update(of=("self",)).filter(pk=identifier).first()

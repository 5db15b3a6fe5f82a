"""Releases database connections before a thread waits for anything but the database."""

from django.db import connections


def release_database() -> None:
    """Release this thread's database connections before a call to Salesforce or a password hash.

    Connections held through calls of 10 seconds would exhaust the pool. A connection inside a transaction is
    kept; no code calls Salesforce or hashes a password inside one.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()

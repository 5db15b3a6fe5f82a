"""Gives database connections back before a thread waits for something else than the database."""

from django.db import connections


def release_database() -> None:
    """Give this thread's database connections back before a call to Salesforce or a password hash.

    A connection held through a call of 10 seconds starves everybody else. One inside a transaction
    cannot be given back; nothing calls Salesforce or hashes a password inside one.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()

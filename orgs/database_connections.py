"""Gives database connections back before a thread waits for something else than the database."""

from django.db import connections


def release_database() -> None:
    """Give this thread's database connection back before waiting for Salesforce.

    A connection held through a call of 10 seconds starves everybody else. One inside a transaction
    cannot be given back; the engine never calls Salesforce inside one.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()

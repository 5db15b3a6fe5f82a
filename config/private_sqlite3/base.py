"""The DatabaseWrapper that Django imports from a module of this name."""

import sqlite3
from pathlib import Path

from django.db.backends.sqlite3 import base

from authn.private_files import create_private, make_private


class DatabaseWrapper(base.DatabaseWrapper):
    """Makes the database's files private before opening them, including existing ones.

    SQLite creates the files beside the database, `-wal` and `-shm`, with the mode of the database.
    """

    def get_new_connection(self, conn_params: dict[str, object]) -> sqlite3.Connection:
        """Open the database."""
        name = str(conn_params["database"])
        if not self.is_in_memory_db() and not name.startswith("file:"):
            create_private(Path(name))
            for suffix in ("", "-wal", "-shm"):
                make_private(Path(name + suffix))
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        return connection

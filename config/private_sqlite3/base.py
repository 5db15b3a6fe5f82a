"""The backend itself; Django looks for it in a module of this name."""

from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base

from authn.private_files import create_private, make_private


class DatabaseWrapper(base.DatabaseWrapper):
    """Makes the database's files private before it opens them, those of an older desk too.

    SQLite gives the files beside the database, `-wal` and `-shm`, the mode of the database.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open the database."""
        name = str(conn_params["database"])
        if not self.is_in_memory_db() and not name.startswith("file:"):
            create_private(Path(name))
            for ending in ("", "-wal", "-shm"):
                make_private(Path(name + ending))
        return super().get_new_connection(conn_params)

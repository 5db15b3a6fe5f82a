"""Keeps files and folders of the desk for the user that it runs as. Standard library alone: settings load it."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from threading import Lock

_FOR_OTHERS = 0o077
_creating = Lock()


def make_private(path: Path) -> None:
    """Take away what group and others may do with a file or folder, if it exists and is ours to change.

    A folder with the sticky bit is left alone: it is shared on purpose, and its files are private themselves.
    """
    with suppress(OSError):
        mode = path.stat().st_mode
        if mode & _FOR_OTHERS and not mode & stat.S_ISVTX:
            path.chmod(stat.S_IMODE(mode) & ~_FOR_OTHERS)


def create_private(path: Path) -> None:
    """Make an empty file of mode 0600 unless something is there. Where it cannot be made, its user says why.

    Only a new file is opened here, and one at a time: closing an SQLite database by any other handle would
    drop the locks that this process holds on it.
    """
    with _creating, suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))

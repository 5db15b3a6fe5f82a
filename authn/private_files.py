"""Files and folders that only the user of the desk may read, and that are whole or not there at all.

Standard library only: settings import it.
"""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

_FOR_OTHERS = 0o077
_creating = Lock()


def make_private(path: Path) -> None:
    """Remove the permissions of group and others from a file or folder, if it exists and belongs to us.

    A folder with the sticky bit is shared on purpose and left unchanged; the files in it are private themselves.
    """
    with suppress(OSError):
        mode = path.stat().st_mode
        if mode & _FOR_OTHERS and not mode & stat.S_ISVTX:
            path.chmod(stat.S_IMODE(mode) & ~_FOR_OTHERS)


def create_private(path: Path) -> None:
    """Create an empty file of mode 0600 unless the path exists. A failure is left to the code that opens the file.

    Only a new file is opened here, one at a time: closing any other handle of an SQLite database would release
    the locks that this process holds on it.
    """
    with _creating, suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def publish_private(path: Path, content: bytes) -> None:
    """Write a file, mode 0600, so that it survives a power cut as soon as this returns.

    A reader sees the old content or the new one, never a part. Raises OSError; then nothing changed.
    """
    unfinished = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, which is made if missing, against all processes and threads."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)

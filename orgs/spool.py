"""Keeps a new refresh token on disk from the moment it is read until the database has it.

Salesforce has spent the old token when it answers. If this process dies then, or the database is
away, the answer is the only place where the org's key is left. So room for it is made before the
call, that a full disk stops the call and not the answer; the answer is written and fsynced before
anything else is done with it; and the file goes when the database has it.

A file is locked by the process that works on it, and the lock dies with the process: whoever can
lock a written file may replay it (orgs/replay.py).
"""

import fcntl
import os
import struct
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from orgs.models import Credential

ROOM_BYTES = 24_576  # The longest auth URL and access token, as JSON, encrypted.
_SUFFIX = ".spool"
_HEADER = struct.Struct(">8sI")
_MAGIC = b"FDSPOOL1"


class SpoolFull(Exception):
    """There is no room for an answer, so none may be asked for."""


class SpoolInUse(Exception):
    """Somebody works on this very answer, or left a written one that must be replayed first."""


class SpoolDamaged(Exception):
    """A file holds something, and it is not a whole answer of this desk."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which attempt a file belongs to: the credential, and the generation that it read."""

    credential_id: uuid.UUID
    generation: int

    @property
    def path(self) -> Path:
        """Where its file lies."""
        return _folder() / f"{self.credential_id.hex}-{self.generation}{_SUFFIX}"


class SpoolFile:
    """Room for one answer, locked. Use it as a context manager: leaving it gives the lock back.

    The file stays after an exception if something was written, and goes if nothing was.
    """

    def __init__(self, place: Place, handle: int, *, written: bool = False) -> None:
        self.place = place
        self._handle = handle
        self._written = written

    @classmethod
    def reserve(cls, place: Place) -> "SpoolFile":
        """Make the file at full size.

        Raises SpoolFull when the disk, or its rights, say no; SpoolInUse when another has it.
        """
        try:
            handle = os.open(place.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SpoolFull from error
        try:
            if not _lock(handle, place.path) or os.pread(handle, len(_MAGIC), 0) == _MAGIC:
                raise SpoolInUse
            os.posix_fallocate(handle, 0, ROOM_BYTES)
        except OSError as error:
            os.close(handle)
            raise SpoolFull from error
        except SpoolInUse:
            os.close(handle)
            raise
        return cls(place, handle)

    def write(self, text: str) -> None:
        """Encrypt and write an answer; when this returns it outlives the process and the power."""
        sealed = _keys().encrypt(text.encode())
        os.pwrite(self._handle, _HEADER.pack(_MAGIC, len(sealed)) + sealed, 0)
        self._written = True
        os.fsync(self._handle)
        _sync_folder()

    def read(self) -> str | None:
        """Return the answer, None when there is only room for one. Raises SpoolDamaged."""
        magic, length = _HEADER.unpack(os.pread(self._handle, _HEADER.size, 0).ljust(_HEADER.size, b"\0"))
        self._written = magic != bytes(len(_MAGIC))
        if not self._written:
            return None
        try:
            if magic != _MAGIC or length > ROOM_BYTES:
                raise SpoolDamaged
            return _keys().decrypt(os.pread(self._handle, length, _HEADER.size)).decode()
        except InvalidToken as error:
            raise SpoolDamaged from error

    def remove(self) -> None:
        """Delete the file: the database has what it held."""
        with suppress(FileNotFoundError):
            self.place.path.unlink()
        self._written = False

    def set_aside(self) -> None:
        """Rename a damaged file, so that it is kept for a person and not tried again."""
        with suppress(FileNotFoundError):
            self.place.path.rename(self.place.path.with_suffix(".damaged"))

    def close(self) -> None:
        """Give the lock back. A file in which nothing is written goes."""
        if not self._written:
            self.remove()
        os.close(self._handle)

    def __enter__(self) -> "SpoolFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def abandoned() -> Iterator[SpoolFile]:
    """Yield, locked, each file that no living process works on, oldest first."""
    for path in sorted(_folder().glob(f"*{_SUFFIX}"), key=_age):
        place = _place_of(path)
        if place is None:
            continue
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue  # It went meanwhile.
        if _lock(handle, path):
            # Written, until its header says otherwise: a disk that cannot be read may hold the only copy.
            yield SpoolFile(place, handle, written=True)
        else:
            os.close(handle)


def check_writable() -> None:
    """Raise SpoolFull unless a response could be stored now. Writes a file of full size and removes it."""
    with SpoolFile.reserve(Place(uuid.uuid4(), 0)):
        return


def holds_answer_for(credential_id: uuid.UUID) -> bool:
    """Tell whether a file of a credential lies there, of whichever attempt."""
    return any(_folder().glob(f"{credential_id.hex}-*{_SUFFIX}"))


def node() -> uuid.UUID:
    """Return the id of this node: a random one, kept in SPOOL_DIR; who shares the folder shares it."""
    return _node(_folder())


@lru_cache(maxsize=4)
def _node(folder: Path) -> uuid.UUID:
    path = folder / "node"
    with suppress(FileExistsError), os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(uuid.uuid4().hex)
        file.flush()
        os.fsync(file.fileno())
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # Whoever made it may still be writing.
        return uuid.UUID(file.read())


def _lock(handle: int, path: Path) -> bool:
    """Lock a file for as long as it is open. Tells whether it worked, and the file is still that one."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found, held = path.stat(), os.fstat(handle)
    except (BlockingIOError, FileNotFoundError):
        return False
    return (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino)


def _folder() -> Path:
    return _made(settings.SPOOL_DIR)


@lru_cache(maxsize=4)
def _made(name: str) -> Path:
    folder = Path(name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _sync_folder() -> None:
    handle = os.open(_folder(), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _place_of(path: Path) -> Place | None:
    identifier, _, generation = path.stem.partition("-")
    try:
        return Place(uuid.UUID(identifier), int(generation))
    except ValueError:
        return None


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _keys() -> Fernet | MultiFernet:
    field: Any = Credential._meta.get_field("sealed_grant")
    keys: Fernet | MultiFernet = field.fernet
    return keys

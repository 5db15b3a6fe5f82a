"""Keeps a new refresh token on disk from the moment it is read until the database has it.

Salesforce has spent the old token when it answers. If this process dies then, or the database is
away, the answer is the only place where the org's key is left. So room for it is made before the
call, that a full disk stops the call and not the answer; the answer is written and fsynced before
anything else is done with it; and the file goes when the database has it.

A file is locked by the process that works on it, and the lock dies with the process: a written file
that can be locked may be replayed (orgs/credentials/replay.py). An empty one that can be locked is what a process
left that died before Salesforce answered.
"""

import fcntl
import os
import struct
import uuid
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from authn.private_files import exclusive, make_private, publish_private, sync_folder
from orgs.credentials.models import Credential

ROOM_BYTES = 24_576  # The longest auth URL and access token, as JSON, encrypted.
_SUFFIX, _DAMAGED = ".spool", ".damaged"
_HEADER = struct.Struct(">8sI")
_MAGIC = b"FDSPOOL1"


class SpoolFull(Exception):
    """There is no room for an answer, so none may be asked for."""


class SpoolInUse(Exception):
    """Somebody works on this very answer, or left a written one that must be replayed first."""


class SpoolDamaged(Exception):
    """A file holds something, and it is not a whole answer of this desk."""


@dataclass(frozen=True, slots=True)
class AttemptId:
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

    def __init__(self, place: AttemptId, handle: int, *, written: bool = False) -> None:
        self.place = place
        self._handle: int | None = handle
        self._written = written

    @classmethod
    def reserve(cls, place: AttemptId) -> "SpoolFile":
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
        handle = self._open_handle()
        sealed = _keys().encrypt(text.encode())
        os.pwrite(handle, _HEADER.pack(_MAGIC, len(sealed)) + sealed, 0)
        self._written = True
        os.fsync(handle)
        sync_folder(_folder())

    def read(self) -> str | None:
        """Return the answer, None when there is only room for one. Raises SpoolDamaged."""
        handle = self._open_handle()
        magic, length = _HEADER.unpack(os.pread(handle, _HEADER.size, 0).ljust(_HEADER.size, b"\0"))
        self._written = magic != bytes(len(_MAGIC))
        if not self._written:
            return None
        try:
            if magic != _MAGIC or length > ROOM_BYTES:
                raise SpoolDamaged
            return _keys().decrypt(os.pread(handle, length, _HEADER.size)).decode()
        except InvalidToken as error:
            raise SpoolDamaged from error

    def remove(self) -> None:
        """Delete the file: the database has what it held. Does nothing after `hand_over`."""
        if self._handle is None:
            return
        with suppress(FileNotFoundError):
            self.place.path.unlink()
        self._written = False

    def set_aside(self) -> None:
        """Rename a damaged file, so that it is kept for a person and not tried again."""
        with suppress(FileNotFoundError):
            self.place.path.rename(self.place.path.with_suffix(_DAMAGED))

    def hand_over(self) -> "SpoolFile":
        """Move the locked file to a new object, for another thread. This object does nothing from now on."""
        moved = SpoolFile(self.place, self._open_handle(), written=self._written)
        self._handle = None
        return moved

    def close(self) -> None:
        """Give the lock back. A file in which nothing is written goes."""
        if self._handle is None:
            return
        if not self._written:
            self.remove()
        os.close(self._handle)
        self._handle = None

    def _open_handle(self) -> int:
        if self._handle is None:
            raise ValueError("The spool file was closed or handed over.")
        return self._handle

    def __enter__(self) -> "SpoolFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def files(credential_id: uuid.UUID | None = None) -> list[Path]:
    """Return the files of one credential, or of all, oldest first."""
    pattern = f"{credential_id.hex if credential_id else '*'}-*{_SUFFIX}"
    return sorted((path for path in _folder().glob(pattern) if attempt_of(path)), key=_age)


def lock_abandoned(path: Path) -> SpoolFile | None:
    """Open and lock a file; None when a living process works on it, or it is gone. Raises OSError."""
    place = attempt_of(path)
    if place is None:
        return None
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    if _lock(handle, path):
        # Written, until its header says otherwise: a disk that cannot be read may hold the only copy.
        return SpoolFile(place, handle, written=True)
    os.close(handle)
    return None


def is_awaited(credential_id: uuid.UUID) -> bool:
    """Return True while a living process of this node waits for a response for this credential."""
    return any(_is_in_use(path) for path in files(credential_id))


def unread(credential_id: uuid.UUID, *, since: int) -> list[str]:
    """Return the names of files that hold a response for this credential which this node could not read.

    Files of attempts before generation `since` are out of date and left out.
    """
    waiting = [path for path in files(credential_id) if not _is_in_use(path) and path.exists()]
    return [path.name for path in waiting if (place := attempt_of(path)) and place.generation >= since]


def check_writable() -> None:
    """Raise SpoolFull unless a response could be stored now. Writes a file of full size and removes it."""
    with SpoolFile.reserve(AttemptId(uuid.uuid4(), 0)):
        node_id()


def node_id() -> uuid.UUID:
    """Return the id of this node: random, kept in SPOOL_DIR. Processes that share the folder share it.

    Raises OSError.
    """
    return _node_id(_folder())


@lru_cache(maxsize=4)
def _node_id(folder: Path) -> uuid.UUID:
    path = folder / "node"
    if known := _read_node(path):
        return known
    with exclusive(folder / "node.lock"):
        if known := _read_node(path):
            return known
        made = uuid.uuid4()
        publish_private(path, made.hex.encode())
    return made


def _read_node(path: Path) -> uuid.UUID | None:
    """Return the id in the file; None when there is none, or a full disk left the file empty."""
    try:
        return uuid.UUID(path.read_text())
    except (FileNotFoundError, ValueError):
        return None


def _is_in_use(path: Path) -> bool:
    """Return True if a living process has the file locked."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that two probes do not take each other for a process at work.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return path.exists()
    else:
        return False
    finally:
        os.close(handle)


def _lock(handle: int, path: Path) -> bool:
    """Lock a file for as long as it is open. Returns True if that worked and the path still names this file."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found, held = path.stat(), os.fstat(handle)
    except (BlockingIOError, FileNotFoundError):
        return False
    return (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino)


def _folder() -> Path:
    return _created(settings.SPOOL_DIR)


@lru_cache(maxsize=4)
def _created(name: str) -> Path:
    folder = Path(name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_private(folder)
    return folder


def attempt_of(path: Path) -> AttemptId | None:
    """Return the attempt that a file belongs to, None for a file of another kind."""
    identifier, _, generation = path.stem.partition("-")
    try:
        return AttemptId(uuid.UUID(identifier), int(generation))
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

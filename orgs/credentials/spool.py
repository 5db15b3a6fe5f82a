"""Keeps a new refresh token on disk from the moment it is received until the database has it.

When Salesforce responds, the old token is spent. If the process dies then, or the database is unavailable,
the response is the only copy of the new token. Disk space is therefore reserved before the call, so that a
full disk prevents the call and not the storing of its response. The response is written and fsynced before
anything else is done with it, and the file is removed after the commit.

A file is locked by the process that works on it, and the lock ends with the process. A written file that can
be locked is replayed (orgs/credentials/replay.py); an empty one belongs to a process that died before
Salesforce responded.
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

RESERVED_BYTES = 69_632  # The longest auth URL and access token, as JSON with each character escaped, encrypted.
_SUFFIX, _DAMAGED = ".spool", ".damaged"
_HEADER = struct.Struct(">8sI")
_MAGIC = b"FDSPOOL1"


class SpoolFull(Exception):
    """No disk space could be reserved, so no request may be sent."""


class SpoolInUse(Exception):
    """A process works on the file of this attempt, or left a response in it that must be replayed first."""


class SpoolDamaged(Exception):
    """A file has content, but not a complete response that FERNET_KEYS decrypt."""


@dataclass(frozen=True, slots=True)
class AttemptId:
    """Identifies a refresh attempt by its credential and the generation that it read."""

    credential_id: uuid.UUID
    generation: int

    @property
    def path(self) -> Path:
        """The path of the attempt's spool file."""
        return _folder() / f"{self.credential_id.hex}-{self.generation}{_SUFFIX}"


class SpoolFile:
    """A locked spool file for one response. As a context manager it is closed, which releases the lock.

    A file that was written stays, even after an exception, until `remove`; an empty one is removed at the close.
    """

    def __init__(self, attempt_id: AttemptId, handle: int, *, written: bool = False) -> None:
        self.attempt_id = attempt_id
        self._handle: int | None = handle
        self._written = written

    @classmethod
    def reserve(cls, attempt_id: AttemptId) -> "SpoolFile":
        """Create and lock the file of an attempt at full size.

        Raises SpoolFull if there is no space or no permission; SpoolInUse if another process has locked the file,
        or it holds a response.
        """
        try:
            handle = os.open(attempt_id.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SpoolFull from error
        file = cls(attempt_id, handle, written=True)  # Until it is known to be empty: then `close` deletes it.
        try:
            if not _lock(handle, attempt_id.path) or (header := os.pread(handle, len(_MAGIC), 0)) == _MAGIC:
                raise SpoolInUse
            file._written = bool(header.strip(b"\0"))
            os.posix_fallocate(handle, 0, RESERVED_BYTES)
        except OSError as error:
            file.close()
            raise SpoolFull from error
        except SpoolInUse:
            file.close()
            raise
        return file

    def write(self, text: str) -> None:
        """Encrypt and store a response. When this returns, it survives a crash and a power failure. Raises OSError."""
        handle = self._open_handle()
        sealed = _keys().encrypt(text.encode())
        os.pwrite(handle, _HEADER.pack(_MAGIC, len(sealed)) + sealed, 0)
        self._written = True
        os.fsync(handle)
        sync_folder(_folder())

    def read(self) -> str | None:
        """Return the stored response, None if none was written. Raises SpoolDamaged, OSError."""
        handle = self._open_handle()
        magic, length = _HEADER.unpack(os.pread(handle, _HEADER.size, 0).ljust(_HEADER.size, b"\0"))
        self._written = magic != bytes(len(_MAGIC))
        if not self._written:
            return None
        try:
            if magic != _MAGIC or length > RESERVED_BYTES:
                raise SpoolDamaged
            return _keys().decrypt(os.pread(handle, length, _HEADER.size)).decode()
        except InvalidToken as error:
            raise SpoolDamaged from error

    def remove(self) -> None:
        """Delete the file after its response was committed. Does nothing after `detach`."""
        if self._handle is None:
            return
        with suppress(FileNotFoundError):
            self.attempt_id.path.unlink()
        self._written = False

    def quarantine(self) -> None:
        """Rename a damaged file: it is kept for the operator and not replayed again."""
        with suppress(FileNotFoundError):
            self.attempt_id.path.rename(self.attempt_id.path.with_suffix(_DAMAGED))

    def detach(self) -> "SpoolFile":
        """Return the locked file as a new object, for another thread. This object can no longer be used."""
        detached = SpoolFile(self.attempt_id, self._open_handle(), written=self._written)
        self._handle = None
        return detached

    def close(self) -> None:
        """Release the lock. A file without a response is removed."""
        if self._handle is None:
            return
        if not self._written:
            self.remove()
        os.close(self._handle)
        self._handle = None

    def _open_handle(self) -> int:
        if self._handle is None:
            raise ValueError("The spool file is closed or detached.")
        return self._handle

    def __enter__(self) -> "SpoolFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def files(credential_id: uuid.UUID | None = None) -> list[Path]:
    """Return the spool files of one credential, or of all, oldest first."""
    pattern = f"{credential_id.hex if credential_id else '*'}-*{_SUFFIX}"
    return sorted((path for path in _folder().glob(pattern) if attempt_of(path)), key=_modified_at)


def lock_abandoned(path: Path) -> SpoolFile | None:
    """Open and lock a file. Returns None if a running process has locked it, or it was removed. Raises OSError."""
    attempt_id = attempt_of(path)
    if attempt_id is None:
        return None
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    if _lock(handle, path):
        # Counts as written until its header is read: if that fails, the file may hold the only copy.
        return SpoolFile(attempt_id, handle, written=True)
    os.close(handle)
    return None


def is_awaited(credential_id: uuid.UUID) -> bool:
    """Return True while a running process of this node waits for a response for this credential."""
    return any(_is_in_use(path) for path in files(credential_id))


def unread(credential_id: uuid.UUID, *, since: int) -> list[str]:
    """Return the names of files with a response for this credential that could not be replayed.

    Files of attempts before generation `since` are out of date and omitted.
    """
    abandoned = [path for path in files(credential_id) if not _is_in_use(path) and path.exists()]
    return [path.name for path in abandoned if (attempt_id := attempt_of(path)) and attempt_id.generation >= since]


def check_writable() -> None:
    """Raise SpoolFull unless a response could be stored now. Writes a file of full size and removes it."""
    with SpoolFile.reserve(AttemptId(uuid.uuid4(), 0)):
        node_id()


def node_id() -> uuid.UUID:
    """Return the id of this node: random, stored in SPOOL_DIR, and shared by all processes that use the folder.

    Raises OSError.
    """
    return _node_id(_folder())


@lru_cache(maxsize=4)
def _node_id(folder: Path) -> uuid.UUID:
    path = folder / "node"
    if stored := _read_node_id(path):
        return stored
    with exclusive(folder / "node.lock"):
        if stored := _read_node_id(path):
            return stored
        new_id = uuid.uuid4()
        publish_private(path, new_id.hex.encode())
    return new_id


def _read_node_id(path: Path) -> uuid.UUID | None:
    """Return the id in the file, None if there is no file or a full disk left it incomplete."""
    try:
        return uuid.UUID(path.read_text())
    except (FileNotFoundError, ValueError):
        return None


def _is_in_use(path: Path) -> bool:
    """Return True if a running process has locked the file."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared: two callers that probe at once must not take each other for an attempt in progress.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return path.exists()
    else:
        return False
    finally:
        os.close(handle)


def _lock(handle: int, path: Path) -> bool:
    """Lock an open file until it is closed. Returns False if it is locked, or the path names another file now."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found, held = path.stat(), os.fstat(handle)
    except (BlockingIOError, FileNotFoundError):
        return False
    return (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino)


def _folder() -> Path:
    return _private_folder(settings.SPOOL_DIR)


@lru_cache(maxsize=4)
def _private_folder(name: str) -> Path:
    folder = Path(name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_private(folder)
    return folder


def attempt_of(path: Path) -> AttemptId | None:
    """Return the attempt that a spool file belongs to, None for any other file."""
    identifier, _, generation = path.stem.partition("-")
    try:
        return AttemptId(uuid.UUID(identifier), int(generation))
    except ValueError:
        return None


def _modified_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _keys() -> Fernet | MultiFernet:
    field: Any = Credential._meta.get_field("sealed_grant")
    keys: Fernet | MultiFernet = field.fernet
    return keys

"""Hashes at most two passwords at a time in one process, without holding a database connection.

An Argon2 hash takes 100 MB and every core. Sixty concurrent log-ins would take 6 GB of address space and
1.5 GB of memory, and slow every other request. The limit is in the hasher, which log-ins, password changes
and management commands all use.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

from authn.database.connections import release_database
from authn.errors import LoginBusy

HASHES_AT_ONCE = 2
PATIENCE_SECONDS = 10.0

logger = logging.getLogger("frontdesk.passwords")
_changed = threading.Condition()
_hashing = 0
_waiting = 0
_thread = threading.local()


class BoundedArgon2PasswordHasher(Argon2PasswordHasher):
    """Django's Argon2 hasher, two hashes at a time. Its hashes are the same."""

    def encode(self, password: str, salt: str) -> str:
        """Hash a password. Raises LoginBusy."""
        with hashing_slot():
            release_database()
            return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        """Return True if a password has this hash. Raises LoginBusy."""
        with hashing_slot():
            release_database()
            return bool(super().verify(password, encoded))


@contextmanager
def hashing_slot() -> Iterator[None]:
    """Hold one of the hashing slots; reentrant per thread.

    Releases the thread's database connection before it waits. Raises LoginBusy when no slot was free for
    PATIENCE_SECONDS, or at once when half of the threads are waiting.
    """
    if getattr(_thread, "has_slot", False):
        yield
        return
    _enter()
    _thread.has_slot = True
    try:
        yield
    finally:
        _thread.has_slot = False
        _leave()


def _enter() -> None:
    global _hashing, _waiting
    release_database()
    with _changed:
        if _hashing >= HASHES_AT_ONCE:
            if _waiting >= max(1, settings.WEB_THREADS // 2):
                raise _busy()
            _waiting += 1
            try:
                if not _changed.wait_for(lambda: _hashing < HASHES_AT_ONCE, timeout=PATIENCE_SECONDS):
                    raise _busy()
            finally:
                _waiting -= 1
        _hashing += 1


def _leave() -> None:
    global _hashing
    with _changed:
        _hashing -= 1
        _changed.notify()


def _busy() -> LoginBusy:
    logger.warning("A password was not checked: too many are waiting to be hashed.")
    return LoginBusy()

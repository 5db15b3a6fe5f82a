"""The session engine (SESSION_ENGINE): sessions are stored by digest, and only for a log-in.

It differs from Django's database engine in three ways:

- The database holds the SHA-256 of the session key, so a reader of the table cannot take over a session.
- A session belongs to a LoginFamily: when the family is revoked or has expired, the session is not found.
  The family is read in the same query.
- A session without a log-in is never stored: anonymous requests write no row.
"""

import hashlib
from typing import Any

from django.contrib.sessions.backends.base import VALID_KEY_CHARS, SessionBase, UpdateError
from django.utils import timezone
from django.utils.crypto import get_random_string

from authn.browser.models import BrowserSession

# The key of the log-in family's id in the session data.
FAMILY_KEY = "_login_family"
_KEY_LENGTH = 32


class SessionStore(SessionBase):
    """One session, loaded and saved by Django's session middleware."""

    _session_cache: dict[str, Any]

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._has_row = session_key is not None

    def load(self) -> dict[str, Any]:
        """Return the stored data, {} for an unknown key or an ended log-in."""
        now = timezone.now()
        rows = BrowserSession.objects.filter(
            digest=_digest(self.session_key),
            expires_at__gt=now,
            family__revoked_at=None,
            family__expires_at__gt=now,
        )
        data = next(iter(rows.values_list("data", flat=True)), None)
        if data is None:
            self._session_key = None
            return {}
        return self.decode(data)

    def create(self) -> None:
        """Generate a new key. The row is written by `save`."""
        self._session_key = get_random_string(_KEY_LENGTH, VALID_KEY_CHARS)
        self._has_row = False
        if not hasattr(self, "_session_cache"):
            self._session_cache = {}
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        """Store the session if it belongs to a log-in. Raises UpdateError if it was deleted meanwhile."""
        if self.session_key is None:
            self.create()
        data = dict(self.items())
        if FAMILY_KEY not in data:
            return
        values = {"data": self.encode(data), "expires_at": self.get_expiry_date()}
        digest = _digest(self.session_key)
        if must_create or not self._has_row:
            BrowserSession.objects.create(digest=digest, family_id=data[FAMILY_KEY], **values)
            self._has_row = True
        elif not BrowserSession.objects.filter(digest=digest).update(**values):
            raise UpdateError

    def delete(self, session_key: str | None = None) -> None:
        """Delete the row of a key, or of this session."""
        key = session_key or self.session_key
        if key is not None:
            BrowserSession.objects.filter(digest=_digest(key)).delete()

    def is_empty(self) -> bool:
        """Return True if there is nothing to store; the middleware then deletes the cookie."""
        if not hasattr(self, "_session_cache"):
            return self.session_key is None
        return FAMILY_KEY not in self._session_cache


def _digest(session_key: str | None) -> str:
    # 165 random bits cannot be guessed, so an unsalted hash is safe, and one index look-up finds it.
    return hashlib.sha256((session_key or "").encode("utf-8", "surrogatepass")).hexdigest()

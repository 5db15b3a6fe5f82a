"""The engine of browser sessions (SESSION_ENGINE): stored by a digest, and only as a part of a log-in.

It differs from Django's own engine in three ways:

- The database holds the SHA-256 of a session's key, so who reads it cannot take a session over.
- A session names a log-in family and ends with it: when the family is revoked or over, the session
  is not found. The family is read with the session, so this costs no query.
- A session without a log-in is never stored: anonymous requests leave no row behind.
"""

import hashlib
from typing import Any

from django.contrib.sessions.backends.base import VALID_KEY_CHARS, SessionBase, UpdateError
from django.utils import timezone
from django.utils.crypto import get_random_string

from authn.browser.models import BrowserSession

# Under this name a session's data hold the id of its log-in family.
FAMILY_KEY = "_login_family"
_KEY_LENGTH = 32


class SessionStore(SessionBase):
    """One session. Django's session middleware makes, reads and saves it."""

    _session_cache: dict[str, Any]

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._has_row = session_key is not None

    def load(self) -> dict[str, Any]:
        """Return what is stored, or nothing for a key that is unknown or whose log-in has ended."""
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
        """Draw a new key. The row follows when the session is saved."""
        self._session_key = get_random_string(_KEY_LENGTH, VALID_KEY_CHARS)
        self._has_row = False
        if not hasattr(self, "_session_cache"):
            self._session_cache = {}
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        """Store the session, if it belongs to a log-in. Raises UpdateError when it was deleted meanwhile."""
        if self.session_key is None:
            self.create()
        data = dict(self.items())
        if FAMILY_KEY not in data:
            return
        changing = {"data": self.encode(data), "expires_at": self.get_expiry_date()}
        digest = _digest(self.session_key)
        if must_create or not self._has_row:
            BrowserSession.objects.create(digest=digest, family_id=data[FAMILY_KEY], **changing)
            self._has_row = True
        elif not BrowserSession.objects.filter(digest=digest).update(**changing):
            raise UpdateError

    def delete(self, session_key: str | None = None) -> None:
        """Delete the row of a key, or of this session."""
        key = session_key or self.session_key
        if key is not None:
            BrowserSession.objects.filter(digest=_digest(key)).delete()

    def is_empty(self) -> bool:
        """Return True if there is nothing to store; the middleware then takes the cookie away."""
        if not hasattr(self, "_session_cache"):
            return self.session_key is None
        return FAMILY_KEY not in self._session_cache


def _digest(session_key: str | None) -> str:
    # 165 random bits cannot be guessed, so a plain hash is enough and one index look-up finds it.
    return hashlib.sha256((session_key or "").encode("utf-8", "surrogatepass")).hexdigest()

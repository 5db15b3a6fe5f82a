"""The table of browser sessions."""

from django.db import models


class BrowserSession(models.Model):
    """The session of one browser, read and written by authn/browser/sessions.py.

    A session key is a secret of its browser, so only its SHA-256 is stored: neither a row nor a copy of
    the database opens a session.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    family = models.ForeignKey("authn.LoginFamily", on_delete=models.CASCADE, related_name="browser_sessions")
    data = models.TextField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"browser session of {self.family_id}"

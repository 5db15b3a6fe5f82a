"""Fingerprints: keyed hashes by which the audit identifies secrets."""

import hashlib
import hmac

from django.conf import settings


def fingerprint(token: str) -> str:
    """Return the first 12 hex digits of HMAC-SHA256(AUDIT_KEY, token)."""
    text = token.encode("utf-8", "surrogatepass")
    return hmac.new(settings.AUDIT_KEY.encode(), text, hashlib.sha256).hexdigest()[:12]


def fingerprinted(text: str) -> str:
    """Return the text by which the audit shows a secret that was typed into another field."""
    return f"fingerprint:{fingerprint(text)}"

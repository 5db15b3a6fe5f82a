"""The canonical form of e-mail addresses, which are the user names of this desk."""

import unicodedata


def canonical_email(text: str) -> str:
    """Return the one spelling under which an e-mail address is stored, looked up and locked out.

    Case, surrounding spaces and compatibility forms (full-width letters) must create neither a second
    user nor a second count of wrong passwords.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).strip().casefold())

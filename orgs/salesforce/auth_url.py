"""The SFDX auth URL: `force://CLIENT_ID:CLIENT_SECRET:REFRESH_TOKEN@HOST`, as the CLI writes it.

The grammar is the CLI's (sfdx-core, authInfo.js) with both ends anchored: the CLI ignores anything
after the host, and accepts any host and port.
"""

import json
import re
from dataclasses import dataclass, field

from orgs.salesforce.hosts import HostPolicy, refusal_of

_GRAMMAR = re.compile(
    r"force://"
    r"(?P<client_id>[a-zA-Z0-9._-]+={0,2}):"
    r"(?P<client_secret>[a-zA-Z0-9._-]*={0,2}):"
    r"(?P<refresh_token>[a-zA-Z0-9._-]+={0,2})"
    r"@(?P<host>[a-zA-Z0-9.-]+)(?::443)?",
    re.ASCII,
)
_PLACEHOLDERS = ("undefined", "null")
_MAX_LENGTH = 4096
_MAX_PASTE_LENGTH = 65_536


class InvalidAuthUrl(ValueError):
    """The text is not an acceptable auth URL. The message never quotes it."""


class ForeignAuthUrl(InvalidAuthUrl):
    """The host of the auth URL is not one of Salesforce's."""


class RedactedAuthUrl(InvalidAuthUrl):
    """The text is the placeholder that the CLI prints in place of an auth URL since version 2.136."""


@dataclass(frozen=True, slots=True)
class AuthUrl:
    """A refresh token with its app and host. The repr shows only client id and host."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    host: str

    def __str__(self) -> str:
        return repr(self)

    @classmethod
    def parse(cls, text: str, hosts: HostPolicy) -> "AuthUrl":
        """Parse an auth URL; trailing spaces and one line break are allowed.

        Raises RedactedAuthUrl for the CLI's placeholder, ForeignAuthUrl for a host that `hosts` does not
        admit, and InvalidAuthUrl for anything else that is not an auth URL.
        """
        if "[REDACTED]" in text[:_MAX_LENGTH]:
            raise RedactedAuthUrl("This is the placeholder that the Salesforce CLI prints instead of the auth URL.")
        if len(text) > _MAX_LENGTH:
            raise InvalidAuthUrl(f"The auth URL is longer than {_MAX_LENGTH} characters.")
        match = _GRAMMAR.fullmatch(text.removesuffix("\n").removesuffix("\r").rstrip(" "))
        if match is None:
            raise InvalidAuthUrl("This is not an auth URL of the form force://CLIENT_ID:SECRET:REFRESH_TOKEN@HOST.")
        if any(match[part] in _PLACEHOLDERS for part in ("client_id", "client_secret", "refresh_token")):
            raise InvalidAuthUrl(
                'A part of the auth URL is "undefined" or "null": orgs authorised by JWT have no auth URL.'
            )
        host = match["host"].lower()
        if not hosts.admits(host):
            raise ForeignAuthUrl(refusal_of(host))
        return cls(match["client_id"], match["client_secret"], match["refresh_token"], host)

    @property
    def login_url(self) -> str:
        """The `https://` URL of the host."""
        return f"https://{self.host}"

    def reveal(self) -> str:
        """Return the auth URL as text, secrets included."""
        return f"force://{self.client_id}:{self.client_secret}:{self.refresh_token}@{self.host}"


def from_paste(text: str) -> str:
    """Return the auth URL from pasted text: the CLI's JSON output, or the URL itself.

    Raises InvalidAuthUrl for text that is too long, or JSON without an auth URL.
    """
    if len(text) > _MAX_PASTE_LENGTH:
        raise InvalidAuthUrl("The pasted text is too long to be output of the Salesforce CLI.")
    text = text.strip()
    if not text.startswith("{"):
        return text
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidAuthUrl("The pasted text is not valid JSON.") from error
    result = content.get("result")
    found = (result if isinstance(result, dict) else content).get("sfdxAuthUrl")
    if not isinstance(found, str):
        raise InvalidAuthUrl("The pasted JSON has no sfdxAuthUrl.")
    return found

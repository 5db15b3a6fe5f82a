"""The SFDX auth URL: `force://CLIENT_ID:CLIENT_SECRET:REFRESH_TOKEN@HOST`, as the CLI writes it.

The grammar is the CLI's (sfdx-core, authInfo.js) with both ends anchored: the CLI ignores anything
after the host, and accepts any host and port. Older CLIs wrote a `/` after the host, which is dropped.
"""

import re
from dataclasses import dataclass, field

from orgs.salesforce.auth_url_text import (
    REDACTED,
    Mistake,
    broken_line,
    find_url,
    mistake_of,
    next_word,
    undefined_part,
)
from orgs.salesforce.hosts import HostPolicy, refusal_of

_GRAMMAR = re.compile(
    r"force://"
    r"(?P<client_id>[a-zA-Z0-9._-]+={0,2}):"
    r"(?P<client_secret>[a-zA-Z0-9._-]*={0,2}):"
    r"(?P<refresh_token>[a-zA-Z0-9._-]+={0,2})"
    r"@(?P<host>[a-zA-Z0-9.-]+)(?::443)?/?",
    re.ASCII,
)
# What JavaScript writes for a missing value.
_PLACEHOLDERS = ("undefined", "null")
_MAX_LENGTH = 4096
MAX_TEXT_WITH_URL_LENGTH = 65_536
# The hosts at which production orgs log in, and those for their sandboxes and scratch orgs.
_LOGIN_HOSTS = {
    f"login.{domain}": f"test.{domain}" for domain in ("salesforce.com", "salesforce.mil", "sfcrmproducts.cn")
}


class InvalidAuthUrl(ValueError):
    """The text is not an acceptable auth URL. The message never quotes it; `action` may be empty."""

    def __init__(self, message: str, action: str = "") -> None:
        super().__init__(message)
        self.action = action

    @staticmethod
    def of(mistake: Mistake) -> "InvalidAuthUrl":
        """Return the error of a mistake."""
        return (RedactedAuthUrl if mistake.is_redacted else InvalidAuthUrl)(mistake.message, mistake.action)


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
    def find(cls, text: str, hosts: HostPolicy) -> "AuthUrl":
        """Return the one auth URL in a text, such as a line of `.env` or the JSON or a table of the CLI.

        Raises InvalidAuthUrl for a text with none or several, and what `parse` raises.
        """
        if len(text) > MAX_TEXT_WITH_URL_LENGTH:
            raise InvalidAuthUrl(f"The text is longer than {MAX_TEXT_WITH_URL_LENGTH} characters.")
        found = find_url(text)
        if isinstance(found, Mistake):
            raise InvalidAuthUrl.of(found)
        try:
            return cls.parse(found, hosts)
        except ForeignAuthUrl:
            host = found.rpartition("@")[2] + next_word(text, found)
            if hosts.admits(host.lower()):
                raise InvalidAuthUrl.of(broken_line()) from None
            raise

    @classmethod
    def parse(cls, text: str, hosts: HostPolicy) -> "AuthUrl":
        """Parse an auth URL; trailing spaces and one line break are allowed.

        Raises RedactedAuthUrl for the CLI's placeholder, ForeignAuthUrl for a host that `hosts` does not
        admit, and InvalidAuthUrl for anything else that is not an auth URL.
        """
        if len(text) > _MAX_LENGTH and REDACTED not in text[:_MAX_LENGTH]:
            raise InvalidAuthUrl(f"The auth URL is longer than {_MAX_LENGTH} characters.")
        match = _GRAMMAR.fullmatch(text.removesuffix("\n").removesuffix("\r").rstrip(" "))
        if match is None:
            raise InvalidAuthUrl.of(mistake_of(text[:_MAX_LENGTH]))
        client_id, secret, refresh_token = match["client_id"], match["client_secret"], match["refresh_token"]
        secret = "" if secret in _PLACEHOLDERS else secret
        if any(part in _PLACEHOLDERS for part in (client_id, refresh_token)):
            raise InvalidAuthUrl.of(undefined_part())
        host = match["host"].lower()
        if not hosts.admits(host):
            raise ForeignAuthUrl(refusal_of(host))
        return cls(client_id, secret, refresh_token, host)

    @property
    def login_url(self) -> str:
        """The `https://` URL of the host."""
        return f"https://{self.host}"

    @property
    def sandbox_login_host(self) -> str:
        """Return where sandboxes log in if this host is for production orgs only, else ""."""
        return _LOGIN_HOSTS.get(self.host, "")

    def reveal(self) -> str:
        """Return the auth URL as text, secrets included."""
        return f"force://{self.client_id}:{self.client_secret}:{self.refresh_token}@{self.host}"

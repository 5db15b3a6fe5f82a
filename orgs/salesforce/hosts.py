"""Which hosts Frontdesk may call: the guard against server-side request forgery through an instance URL.

Hosts are matched whole, label by label, in ASCII. A suffix of an unparsed string is never tested:
`evil-salesforce.com`, user info, ports, backslashes or Unicode dots would pass such a test.
"""

import re
from dataclasses import dataclass

# The limit of DNS, and the length of the longest URL made of such a name.
_MAX_HOST_LENGTH = 253
MAX_INSTANCE_URL_LENGTH = len("https://") + _MAX_HOST_LENGTH

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SALESFORCE_HOST = re.compile(
    rf"(?:login|test)\.salesforce\.com"
    rf"|{_LABEL}(?:\.{_LABEL})?\.my\.salesforce\.com"
    rf"|[a-z]{{2,4}}[0-9]{{1,4}}[a-z]?\.salesforce\.com",
    re.ASCII,
)
_HOSTNAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})+", re.ASCII)
_INSTANCE_URL = re.compile(rf"https://([A-Za-z0-9.-]{{1,{_MAX_HOST_LENGTH}}})(?::443)?/?", re.ASCII)
_SANDBOX_LABEL = re.compile(r"([a-z0-9-]+?)--([a-z0-9-]+)", re.ASCII)


class ForeignHost(ValueError):
    """The URL or host is not one of Salesforce's, or malformed."""


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """The hosts that may be called: Salesforce's, and `extra_domains` with their subdomains."""

    extra_domains: tuple[str, ...] = ()

    def admits(self, host: str) -> bool:
        """Return True if this lower-case host may be called."""
        if _SALESFORCE_HOST.fullmatch(host):
            return True
        if len(host) > _MAX_HOST_LENGTH or not _HOSTNAME.fullmatch(host):
            return False
        return any(host == domain or host.endswith(f".{domain}") for domain in self.extra_domains)

    def instance_url(self, text: str) -> str:
        """Return `https://host` for a URL that consists of an admitted host alone.

        Raises ForeignHost for another scheme or host, and for a user, port, path or query.
        """
        match = _INSTANCE_URL.fullmatch(text)
        if match is None:
            raise ForeignHost("The instance URL must read https://HOST, without a path, port or user.")
        host = match[1].lower()
        if not self.admits(host):
            raise ForeignHost("The host of the instance URL is not a Salesforce host.")
        return f"https://{host}"


def host_of(instance_url: str) -> str:
    """Return the host of a URL that `HostPolicy.instance_url` returned."""
    return instance_url.removeprefix("https://")


def sandbox_name(host: str) -> str:
    """Return the NAME of a `mydomain--NAME.` host in lower case, "" for any other host."""
    match = _SANDBOX_LABEL.fullmatch(host.lower().partition(".")[0])
    return match[2] if match else ""


def my_domain(host: str) -> str:
    """Return the My Domain that a host belongs to: its first label up to a `--`."""
    return host.lower().partition(".")[0].partition("--")[0]

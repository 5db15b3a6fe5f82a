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
# Salesforce's own domains: worldwide, US government (API and pages), China.
_DOMAINS = ("salesforce.com", "salesforce.mil", "crmforce.mil", "sfcrmproducts.cn")
_SALESFORCE_HOST = re.compile(
    rf"(?:login|test|{_LABEL}(?:\.{_LABEL})?\.my|[a-z]{{2,4}}[0-9]{{1,4}}[a-z]?)"
    rf"\.(?:{'|'.join(map(re.escape, _DOMAINS))})"
    rf"|{_LABEL}\.crmforce\.mil",
    re.ASCII,
)
_HOSTNAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})+", re.ASCII)
_INSTANCE_URL = re.compile(rf"https://([A-Za-z0-9.-]{{1,{_MAX_HOST_LENGTH}}})(?::443)?/?", re.ASCII)
# Hosts that serve an org's pages, some with content of customers, and the host that serves its API.
_PAGE_DOMAINS = ("force.com", "salesforce-setup.com", "crmforce.mil", "sfcrmapps.cn", "salesforce-setup.mil")
# Other hosts of pages, such as NAME--PACKAGE.vf.force.com, do not begin with the name of the API's host.
_PAGE_HOST = re.compile(
    rf"(?P<name>{_LABEL}(?:\.{_LABEL})?)\.(?:lightning|my)\.(?:{'|'.join(map(re.escape, _PAGE_DOMAINS))})", re.ASCII
)
_API_DOMAINS = {"com": "my.salesforce.com", "mil": "my.salesforce.mil", "cn": "my.sfcrmproducts.cn"}
# Domains that Salesforce used before My Domain. An operator whose org still has one admits it.
_OLD_DOMAINS = ("my-salesforce.com", "cloudforce.com", "database.com")
# A label longer than this, or one that begins like a refresh token, may be a secret in the wrong place.
_MAX_NAMED_LABEL_LENGTH = 40
_TOKEN_START = "5aep"  # noqa: S105  # the beginning of every refresh token
_SANDBOX_LABEL = re.compile(r"([a-z0-9-]+?)--([a-z0-9-]+)", re.ASCII)


class ForeignHost(ValueError):
    """The URL or host is not one of Salesforce's, or malformed."""

    @classmethod
    def of(cls, host: str) -> "ForeignHost":
        """Return the error of a host that is not admitted, with what to do about it."""
        return cls(refusal_of(host))


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
        return _is_within(host, self.extra_domains)

    def instance_url(self, text: str) -> str:
        """Return `https://host` for a URL that consists of an admitted host alone.

        Raises ForeignHost for another scheme or host, and for a user, port, path or query.
        """
        match = _INSTANCE_URL.fullmatch(text)
        if match is None:
            raise ForeignHost("The instance URL must read https://HOST, without a path, port or user.")
        host = match[1].lower()
        if not self.admits(host):
            raise ForeignHost.of(host)
        return f"https://{host}"


def host_of(instance_url: str) -> str:
    """Return the host of a URL that `HostPolicy.instance_url` returned."""
    return instance_url.removeprefix("https://")


def refusal_of(host: str) -> str:
    """Return why a host is not admitted, and what to do. Names the host only if it cannot be a secret."""
    host = host.lower()
    if host.endswith("."):
        return "The host ends with a dot. Remove the dot."
    labels = host.split(".")
    is_named = (
        len(host) <= _MAX_HOST_LENGTH
        and bool(_HOSTNAME.fullmatch(host))
        and labels[-1].isalpha()
        and all(len(label) <= _MAX_NAMED_LABEL_LENGTH and not label.startswith(_TOKEN_START) for label in labels)
    )
    if not is_named:
        return "The host is not a Salesforce host. Use NAME.my.salesforce.com."
    api_host = f"NAME.{_API_DOMAINS.get(labels[-1], _API_DOMAINS['com'])}"
    if _is_within(host, _PAGE_DOMAINS):
        pages = _PAGE_HOST.fullmatch(host)
        advice = f"{pages['name']}{api_host.removeprefix('NAME')} ({api_host})" if pages else api_host
        return f"{host} serves the pages of an org, not its API. Use {advice}."
    if host in _DOMAINS:
        return f"{host} is not the host of an org. Use {api_host}."
    if _is_within(host, _DOMAINS):
        return (
            f"{host} is not known as the host of an org. Use {api_host}. "
            f"If it serves the API of an org, an operator can admit it: SALESFORCE_EXTRA_DOMAINS={host}."
        )
    domain = next((old for old in _OLD_DOMAINS if _is_within(host, (old,))), host)
    return (
        f"The desk does not call {host}. If it is a host of Salesforce, "
        f"an operator can admit it: SALESFORCE_EXTRA_DOMAINS={domain}."
    )


def _is_within(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def sandbox_name(host: str) -> str:
    """Return the NAME of a `mydomain--NAME.` host in lower case, "" for any other host."""
    match = _SANDBOX_LABEL.fullmatch(host.lower().partition(".")[0])
    return match[2] if match else ""


def my_domain(host: str) -> str:
    """Return the My Domain that a host belongs to: its first label up to a `--`."""
    return host.lower().partition(".")[0].partition("--")[0]


def is_same_my_domain(host: str, other: str) -> bool:
    """Return True if two hosts belong to one My Domain. A name in .mil or .cn is another customer than in .com."""
    return my_domain(host) == my_domain(other) and _region(host) == _region(other)


def _region(host: str) -> str:
    last = host.lower().rpartition(".")[2]
    return last if last in ("mil", "cn") else ""

"""Sends one request to Salesforce and returns its response, or raises what happened to it.

There is one send function. It never follows a redirect, never retries, reads no proxy or netrc from
the environment, and never calls a host that the policy does not admit. Secrets must not be in URLs,
because urllib3 logs URLs at debug level.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError as UrllibError
from urllib3.exceptions import ProtocolError

from orgs.salesforce import errors, network_errors
from orgs.salesforce.addresses import AddressPolicy
from orgs.salesforce.deadline import Watch, WatchedAdapter
from orgs.salesforce.hosts import HostPolicy

JSON = "application/json"
MAX_RESPONSE_BYTES = 1024 * 1024
_CONNECTIONS_PER_HOST = 128
_USER_AGENT = "Frontdesk"


@dataclass(frozen=True, slots=True)
class Response:
    """A complete HTTP response. The body may hold a token, so the repr omits it."""

    status: int
    content_type: str
    body: bytes = field(repr=False)
    retry_after: int | None = None

    @property
    def is_page(self) -> bool:
        """Return True if this is an HTML page instead of data."""
        return self.content_type in ("text/html", "application/xhtml+xml")

    def json(self, *, any_content_type: bool = False) -> object:
        """Return the JSON value of the body. Raises Unreadable, also for another Content-Type."""
        if self.content_type != JSON and not any_content_type:
            raise errors.Unreadable
        try:
            content: object = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise errors.Unreadable from error
        return content


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Ignore Location. requests would parse it and read the whole body even without following it."""
        return None


class Transport:
    """Pooled keep-alive connections to Salesforce, shared by all threads of a process.

    `timeout_seconds` bounds a whole exchange. Connections go to global addresses and to those in
    `allowed_networks`; a proxy resolves names itself. `gateway`, for the demo, is a URL to which every
    request goes, with its real host in the Host header.
    """

    def __init__(
        self,
        hosts: HostPolicy,
        *,
        timeout_seconds: float = 10.0,
        proxy: str = "",
        ca_bundle: str = "",
        gateway: str = "",
        allowed_networks: Iterable[str] = (),
    ) -> None:
        self._hosts = hosts
        self._timeout = timeout_seconds
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        self._verify: str | bool = ca_bundle or True
        self.gateway = gateway
        self._session = _Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        addresses = None if gateway else AddressPolicy.allowing(allowed_networks)
        adapter = WatchedAdapter(addresses=addresses, pool_connections=256, pool_maxsize=_CONNECTIONS_PER_HOST)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        bearer: str = "",
        form: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        body: dict[str, str] | None = None,
        within_seconds: float | None = None,
        watch: Watch | None = None,
    ) -> Response:
        """Send one request and return its complete response, whatever its status.

        `body` is sent as JSON. `within_seconds` can shorten the time-out, never extend it; `watch`
        replaces it.
        Raises Untrusted for a URL that must not be called and for a redirect, Unreachable if nothing was
        sent, LostResponse if bytes were sent and no complete response came, Unreadable for a body over 1 MiB.
        """
        request = self._prepare(method, url, bearer=bearer, form=form, query=query, body=body)
        timeout = self._timeout if within_seconds is None else min(self._timeout, within_seconds)
        host = urlsplit(url).netloc
        if timeout <= 0:
            raise network_errors.connect_timed_out(host, proxied=bool(self._proxies))
        with watch or Watch(timeout) as watch:
            try:
                response = self._exchange(request, (watch.seconds, watch.longest_seconds))
            # http.client raises plain ValueError for some malformed responses, such as a negative chunk length.
            except (requests.RequestException, UrllibError, OSError, HTTPException, ValueError) as error:
                raise network_errors.translated(error, watch, host=host, proxied=bool(self._proxies)) from None
            except errors.AddressRefused:
                raise network_errors.address_refused(host) from None
            if watch.expired:
                # The timer shut the socket down, which looks like the end of the headers or the body.
                raise network_errors.response_timed_out(host)
        if 300 <= response.status < 400:
            raise errors.Redirected
        return response

    def _prepare(
        self,
        method: str,
        url: str,
        *,
        bearer: str,
        form: dict[str, str] | None,
        query: dict[str, str] | None,
        body: dict[str, str] | None,
    ) -> requests.PreparedRequest:
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.netloc != parts.hostname or not self._hosts.admits(parts.netloc):
            raise errors.Untrusted
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": _USER_AGENT}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        if self.gateway:
            headers["Host"] = parts.netloc
            url = f"{self.gateway}{parts.path}"
        content = requests.Request(method, url, headers=headers, data=form, params=query, json=body)
        return self._session.prepare_request(content)

    def _exchange(self, request: requests.PreparedRequest, timeout: tuple[float, float]) -> Response:
        with self._session.send(
            request,
            stream=True,
            allow_redirects=False,
            timeout=timeout,
            verify=self._verify,
            proxies=self._proxies,
        ) as response:
            body = _read(response)
            if len(body) > MAX_RESPONSE_BYTES or response.headers.get("Content-Encoding", "identity") != "identity":
                response.raw.close()
                raise errors.Garbled if response.ok else errors.Unreadable
            if not body and response.ok and not response.raw.chunked and response.raw.length_remaining is None:
                # http.client accepts a connection that closes inside the headers as their end.
                raise ProtocolError("The connection closed inside the headers.")
            return Response(
                status=response.status_code,
                content_type=response.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
                body=body,
                retry_after=_seconds(response.headers.get("Retry-After", "")),
            )


def _read(response: requests.Response) -> bytes:
    """Read up to one byte over the limit. Only reading to the end detects a truncated body."""
    parts, size = [], 0
    while size <= MAX_RESPONSE_BYTES and (part := response.raw.read(65_536, decode_content=False)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _seconds(text: str) -> int | None:
    return min(int(text), 86_400) if text.isascii() and text.isdigit() and len(text) < 10 else None

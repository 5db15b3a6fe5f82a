"""Sends one request to Salesforce and brings back one answer, or says what became of it.

There is one send function. It never follows a redirect, never sends twice, reads no proxy or
netrc from the environment, and never calls a host that the policy does not admit. No secret
belongs in a URL: urllib3 writes URLs to its debug log.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError as UrllibError
from urllib3.exceptions import ProtocolError, ReadTimeoutError, SSLError

from orgs.salesforce import errors
from orgs.salesforce.addresses import AddressPolicy
from orgs.salesforce.deadline import Watch, WatchedAdapter
from orgs.salesforce.hosts import HostPolicy

JSON = "application/json"
MAX_ANSWER_BYTES = 1024 * 1024
_CONNECTIONS_PER_HOST = 128
_USER_AGENT = "Frontdesk"


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer. The body may hold a token, so the repr leaves it out."""

    status: int
    content_type: str
    body: bytes = field(repr=False)
    retry_after: int | None = None

    @property
    def is_page(self) -> bool:
        """Tell whether this is a page for people in place of an answer."""
        return self.content_type in ("text/html", "application/xhtml+xml")

    def json(self, *, whatever_it_says: bool = False) -> Any:
        """Return the value in the body. Raises Unreadable unless it is JSON and, as a rule, says so."""
        if self.content_type != JSON and not whatever_it_says:
            raise errors.Unreadable
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise errors.Unreadable from error


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Look at no Location: requests parses it, and reads the whole body, though told not to follow."""
        return None


class Transport:
    """Pooled keep-alive connections to Salesforce, shared by all threads of a process.

    `timeout_seconds` bounds a whole exchange. Connections go to global addresses, and to those in
    `allowed_networks`; with a proxy, it is the proxy's part to resolve names. `gateway`, for the demo, is
    an address to which every request goes, with its true host in the Host header.
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
        adapter = WatchedAdapter(
            addresses=addresses, pool_connections=256, pool_maxsize=_CONNECTIONS_PER_HOST, max_retries=0
        )
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
    ) -> Answer:
        """Send one request and return its complete answer, whatever its status.

        `body` goes out as JSON. `within_seconds` may make the usual time shorter, never longer. With
        `watch`, its times hold in place of the usual one.
        Raises Untrusted for a URL that must not be called and for a redirect, Unreachable when
        nothing was sent, LostAnswer when bytes went out and no complete answer came, Unreadable
        for a body over 1 MiB.
        """
        request = self._prepare(method, url, bearer=bearer, form=form, query=query, body=body)
        timeout = self._timeout if within_seconds is None else min(self._timeout, within_seconds)
        if timeout <= 0:
            raise errors.ConnectTimedOut
        with watch or Watch(timeout) as watch:
            try:
                answer = self._exchange(request, (watch.seconds, watch.longest_seconds))
            # http.client lets some malformed responses out as they came, such as a negative length of a chunk.
            except (requests.RequestException, UrllibError, OSError, HTTPException, ValueError) as error:
                raise _what_became_of_it(error, watch) from None
            if watch.expired:
                # The timer shut the socket, which looks like the end of the headers or of the body.
                raise errors.TimedOut
        if 300 <= answer.status < 400:
            raise errors.Redirected
        return answer

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

    def _exchange(self, request: requests.PreparedRequest, timeout: tuple[float, float]) -> Answer:
        with self._session.send(
            request,
            stream=True,
            allow_redirects=False,
            timeout=timeout,
            verify=self._verify,
            proxies=self._proxies,
        ) as response:
            body = _read(response)
            if len(body) > MAX_ANSWER_BYTES or response.headers.get("Content-Encoding", "identity") != "identity":
                response.raw.close()
                raise errors.Garbled if response.ok else errors.Unreadable
            if not body and response.ok and not response.raw.chunked and response.raw.length_remaining is None:
                # http.client takes an end in the middle of the headers for the end of the headers.
                raise ProtocolError("The headers have no end.")
            return Answer(
                status=response.status_code,
                content_type=response.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
                body=body,
                retry_after=_seconds(response.headers.get("Retry-After", "")),
            )


def _read(response: requests.Response) -> bytes:
    """Read up to one byte over the limit. Reading to the end is what finds a body cut short."""
    parts, size = [], 0
    while size <= MAX_ANSWER_BYTES and (part := response.raw.read(65_536, decode_content=False)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _what_became_of_it(error: Exception, watch: Watch) -> errors.SalesforceError:
    """Tell "nothing was sent" from "sent, and no answer": only the first may be sent again."""
    sent = _broke_after_sending(error) if watch.sent is None else watch.sent
    if watch.expired or isinstance(error, requests.Timeout | ReadTimeoutError):
        return errors.TimedOut() if sent else errors.ConnectTimedOut()
    if sent:
        return errors.LostAnswer()
    if isinstance(error, requests.exceptions.SSLError | SSLError):
        return errors.TLSFailed()
    return errors.Unreachable()


def _broke_after_sending(error: Exception) -> bool:
    """Tell it by the error alone, for connections that are not ours, as those of `responses`."""
    if isinstance(error, HTTPException | ValueError) and not isinstance(error, requests.RequestException | UrllibError):
        return True
    if isinstance(error, requests.ReadTimeout | requests.exceptions.ChunkedEncodingError | ProtocolError):
        return True
    return isinstance(error, requests.ConnectionError) and any(isinstance(cause, ProtocolError) for cause in error.args)


def _seconds(text: str) -> int | None:
    return min(int(text), 86_400) if text.isascii() and text.isdigit() and len(text) < 10 else None

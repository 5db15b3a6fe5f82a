"""Says why a request got no response: the kind of failure, and the host that it concerns. Each one is logged.

A kind is a word that operators can search for. No text of a proxy or a server is repeated.
"""

import errno
import logging
import os
import re
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPException

import requests
from urllib3.exceptions import HTTPError as UrllibError
from urllib3.exceptions import ProtocolError, ReadTimeoutError, SSLError

from orgs.salesforce import errors
from orgs.salesforce.deadline import Watch

_PROXY = "the proxy in SALESFORCE_PROXY"
_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN)
_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: ([1-5][0-9]{2})\b")
_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")

logger = logging.getLogger("frontdesk.salesforce")


def translated(error: Exception, watch: Watch, *, host: str, proxied: bool) -> errors.SalesforceError:
    """Return the SalesforceError of a network error, and log it.

    `proxied` says that SALESFORCE_PROXY carries the request. Only an error from before any byte of the
    request was sent is Unreachable, and safe to retry.
    """
    sent = _broke_after_sending(error) if watch.sent is None else watch.sent
    if watch.expired or isinstance(error, requests.Timeout | ReadTimeoutError):
        failure: errors.SalesforceError = response_timed_out(host) if sent else connect_timed_out(host, proxied=proxied)
    elif sent:
        failure = errors.LostResponse(detail=f"CONNECTION_LOST: {host} or a proxy closed the connection.")
    else:
        failure = _never_sent(error, host, proxied)
    logger.warning("%s", failure.detail)
    return failure


def response_timed_out(host: str) -> errors.TimedOut:
    """Return the error of a request that was sent to `host`."""
    return errors.TimedOut(detail=f"RESPONSE_TIMED_OUT: {host} sent no complete response in time.")


def connect_timed_out(host: str, *, proxied: bool) -> errors.ConnectTimedOut:
    """Return the error of a connection to `host` that took too long."""
    through = f" through {_PROXY}" if proxied else ""
    detail = f"CONNECT_TIMED_OUT: no connection to {host}{through} in time."
    return errors.ConnectTimedOut(detail=detail + _ignored_proxy(proxied))


def address_refused(host: str) -> errors.AddressRefused:
    """Return the error of a host without an allowed address. The look-up has logged the addresses."""
    return errors.AddressRefused(detail=f"ADDRESS_REFUSED: {host}." + _ignored_proxy(proxied=False))


def _never_sent(error: Exception, host: str, proxied: bool) -> errors.SalesforceError:
    causes = list(_causes(error))
    if any(isinstance(cause, requests.exceptions.SSLError | SSLError | ssl.SSLError) for cause in causes):
        return errors.TLSFailed(detail=f"TLS_FAILED: {host}{_certificate_problem(causes)}.")
    if status := _tunnel_status(causes):
        return errors.Unreachable(detail=f"PROXY_REFUSED: {_PROXY} refused to connect to {host}, with status {status}.")
    kind, problem = _problem(causes)
    if proxied and kind != "CONNECTION_FAILED":
        return errors.Unreachable(detail=f"PROXY_UNREACHABLE: {_PROXY} {problem}.")
    failure = errors.HostNotFound if kind == "HOST_NOT_FOUND" else errors.Unreachable
    return failure(detail=f"{kind}: {host} {problem}." + _ignored_proxy(proxied))


def _problem(causes: list[BaseException]) -> tuple[str, str]:
    """Return the kind of failure, and the predicate of a sentence about the host that was to be connected."""
    for cause in causes:
        if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_AGAIN:
            return "HOST_NOT_FOUND", "could not be resolved, because no name server responded"
        if isinstance(cause, socket.gaierror | UnicodeError):
            return "HOST_NOT_FOUND", "does not resolve"
        if isinstance(cause, ConnectionRefusedError):
            return "CONNECTION_REFUSED", "refused the connection"
        if isinstance(cause, OSError) and cause.errno in _NO_ROUTE:
            return "NO_ROUTE", "cannot be reached, because there is no route to it"
    return "CONNECTION_FAILED", "closed the connection before anything was sent"


def _tunnel_status(causes: list[BaseException]) -> str:
    """Return the status with which a proxy refused a tunnel, "" if none did. urllib3 has it in a text only."""
    found = (_TUNNEL_REFUSED.search(str(cause)) for cause in causes if isinstance(cause, OSError))
    return next((match[1] for match in found if match), "")


def _certificate_problem(causes: list[BaseException]) -> str:
    """Return what OpenSSL finds wrong with the certificate, from its fixed list of texts."""
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            problem = str(getattr(cause, "verify_message", "")).rstrip(".")
            return f" has no trusted certificate ({problem})" if problem else " has no trusted certificate"
    return " made no TLS connection"


def _ignored_proxy(proxied: bool) -> str:
    """Return a hint if the environment names a proxy, which the desk does not read from there."""
    name = next((name for name in _PROXY_VARIABLES if os.environ.get(name)), "")
    if proxied or not name:
        return ""
    return f" {name} is set in the environment, but the desk reads SALESFORCE_PROXY, which is not set."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and the errors that it wraps, the outermost first."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop(0)
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            waiting += [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]


def _broke_after_sending(error: Exception) -> bool:
    """Judge by the error alone, for connections that a Watch cannot see, such as those of `responses`."""
    if isinstance(error, HTTPException | ValueError) and not isinstance(error, requests.RequestException | UrllibError):
        return True
    if isinstance(error, requests.ReadTimeout | requests.exceptions.ChunkedEncodingError | ProtocolError):
        return True
    return isinstance(error, requests.ConnectionError) and any(isinstance(cause, ProtocolError) for cause in error.args)

"""Reads a response of Salesforce to its end, even after the caller's deadline.

Salesforce processes a refresh whether or not its caller still waits, and spends a rotating token. The
exchange therefore runs in a separate thread: at the deadline the caller gets 504, and the thread goes
on reading until TAKEOVER_SECONDS after the start, when another node may try again.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout

from django.conf import settings

from authn.database.connections import release_database
from orgs.salesforce import AuthUrl, SalesforceClient, SalesforceError, TokenResponse, Watch
from orgs.salesforce import errors as wire

# The exchange's own time limit ends it first; this leaves time for the switch between threads.
_MARGIN_SECONDS = 0.25
# Threads are created on demand and reused. A restart loses responses that arrive after gunicorn's graceful_timeout.
_MAX_THREADS = 512

logger = logging.getLogger("frontdesk.spool")
_threads = ThreadPoolExecutor(max_workers=_MAX_THREADS, thread_name_prefix="refresh")


class StillReading(Exception):
    """The deadline has passed, the request was sent, and its response may still arrive."""


class Exchange:
    """One refresh that runs in another thread."""

    def __init__(self, salesforce: SalesforceClient, auth_url: AuthUrl, *, read_on_seconds: float) -> None:
        self._watch = Watch(settings.SALESFORCE_TIMEOUT_SECONDS, read_on_seconds=read_on_seconds)
        self._future: Future[TokenResponse] = _threads.submit(salesforce.refresh, auth_url, watch=self._watch)

    def result(self) -> TokenResponse:
        """Return the response if it arrives before the deadline.

        Raises SalesforceError as `refresh` does, ConnectTimedOut if nothing was sent before the deadline, and
        StillReading.
        """
        try:
            return self._future.result(self._watch.seconds + _MARGIN_SECONDS)
        except FutureTimeout:
            pass
        if self._future.cancel():
            raise wire.ConnectTimedOut
        self._watch.stop_sending()
        if self._future.done():
            return self._future.result()
        raise StillReading if self._watch.sent else wire.ConnectTimedOut

    def when_done(self, keep: Callable[[TokenResponse | None], None]) -> None:
        """Call `keep` with the response, None if none arrived, in the thread that reads it."""

        def done(future: Future[TokenResponse]) -> None:
            try:
                keep(_response_of(future))
            except Exception:
                logger.exception("A late response of Salesforce could not be committed. It stays in the spool.")
            finally:
                release_database()

        self._future.add_done_callback(done)


def _response_of(future: Future[TokenResponse]) -> TokenResponse | None:
    try:
        return future.result()
    except SalesforceError:
        return None
    except Exception:
        # The spool file must be released after any error, or its credential stays locked.
        logger.exception("A late response of Salesforce could not be read.")
        return None

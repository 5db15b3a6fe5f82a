"""One refresh in a separate thread: its result at the deadline, and the report of every late end."""

import threading
from typing import Any

import pytest

from orgs.credentials.late_responses import Exchange, StillReading
from orgs.salesforce import AuthUrl, TokenResponse, Watch
from orgs.salesforce import errors as wire

URL = AuthUrl("PlatformCLI", "", "5Aep861", "acme.my.salesforce.com")


class Salesforce:
    """Blocks each refresh until `let_go` is set, after sending it or before."""

    def __init__(self, *, sends: bool, ends_with: Exception | TokenResponse) -> None:
        self._sends, self._ends_with = sends, ends_with
        self.let_go = threading.Event()

    def refresh(self, _: AuthUrl, *, watch: Watch) -> TokenResponse:
        if self._sends:
            watch.note_sending()
        self.let_go.wait(10)
        if isinstance(self._ends_with, Exception):
            raise self._ends_with
        return self._ends_with


@pytest.fixture(autouse=True)
def _short(settings: Any) -> None:
    settings.SALESFORCE_TIMEOUT_SECONDS = 0.1


def test_a_request_that_was_not_sent_before_the_deadline_is_a_connect_timeout():
    salesforce = Salesforce(sends=False, ends_with=wire.Unreachable())

    with pytest.raises(wire.ConnectTimedOut):
        Exchange(salesforce, URL, read_on_seconds=10).result()  # type: ignore[arg-type]
    salesforce.let_go.set()


@pytest.mark.parametrize(
    "end", [TokenResponse("5Aep862", None), wire.LostResponse(), ValueError("a bug")], ids=["response", "lost", "bug"]
)
def test_every_late_end_is_reported(end):
    salesforce = Salesforce(sends=True, ends_with=end)
    exchange = Exchange(salesforce, URL, read_on_seconds=10)  # type: ignore[arg-type]
    kept: list[TokenResponse | None] = []
    reported = threading.Event()

    def keep(response: TokenResponse | None) -> None:
        kept.append(response)
        reported.set()

    with pytest.raises(StillReading):
        exchange.result()
    exchange.when_done(keep)
    salesforce.let_go.set()

    assert reported.wait(10)
    assert kept == [end if isinstance(end, TokenResponse) else None]

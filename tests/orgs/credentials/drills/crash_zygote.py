"""Forks processes that refresh a credential and are killed at a chosen point, as by a power failure.

Reads lines "POINT USERNAME" and writes for each the number of the signal that ended the process. The code under
test is not replaced: where one of its functions is entered or left, the process sends itself SIGKILL, which no
handler can catch.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

from authn.audit import org_named  # noqa: E402
from authn.principals import system  # noqa: E402
from orgs.credentials import spool  # noqa: E402
from orgs.credentials.session_request import SessionRequest  # noqa: E402
from orgs.models import SalesforceOrg  # noqa: E402
from orgs.org_sessions import session_for  # noqa: E402
from orgs.salesforce import client, transport  # noqa: E402


def _die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _dying_after(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: Any, **options: Any) -> None:
        function(*arguments, **options)
        _die()

    return run


def _arm(point: str) -> None:
    if point == "before-send":
        client.SalesforceClient.refresh = _die  # type: ignore[method-assign,assignment]
    elif point == "sent":
        transport._read = _die  # type: ignore[assignment]
    elif point == "spooled":
        spool.SpoolFile.write = _dying_after(spool.SpoolFile.write)  # type: ignore[method-assign]
    elif point == "committed":
        spool.SpoolFile.remove = _die  # type: ignore[method-assign]
    else:
        raise ValueError(point)


def main() -> None:
    """Serve until standard input ends."""
    print("ready", flush=True)
    for line in sys.stdin:
        point, username = line.split()
        child = os.fork()
        if child == 0:
            try:
                _arm(point)
                session_for(
                    SalesforceOrg.objects.get(username=username),
                    SessionRequest(by=system("crash"), target=org_named(username)),
                )
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, flush=True)


if __name__ == "__main__":
    main()

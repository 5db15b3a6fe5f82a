"""Watches a browser for errors, policy violations and requests to other hosts."""

import re
from typing import Any

_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`refused by the Content-Security-Policy: ${event.violatedDirective} ${event.blockedURI}`);
});
"""
# Chromium logs each response with an error status; a test declares those that it expects.
_NOTED = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")


class Watcher:
    """Collects complaints of contexts and pages. `hosts` are the addresses that may be requested."""

    def __init__(self, *hosts: str) -> None:
        self.complaints: list[str] = []
        self._hosts = (*hosts, "data:", "blob:", "about:")
        self._expected: set[int] = set()

    def expect(self, *statuses: int) -> None:
        """Accept responses of these statuses."""
        self._expected |= set(statuses)

    def watch(self, context: Any) -> None:
        """Watch all pages of a context."""
        context.add_init_script(_REPORT_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("request", self._request)

    def _console(self, message: Any) -> None:
        noted = _NOTED.match(message.text)
        if message.type == "error" and not (noted and int(noted[1]) in self._expected):
            self.complaints.append(message.text)

    def _request(self, request: Any) -> None:
        if not request.url.startswith(self._hosts):
            self.complaints.append(f"a request to another host: {request.url}")

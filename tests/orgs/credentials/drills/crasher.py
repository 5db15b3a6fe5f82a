"""Crashes processes of a desk at a chosen point of a refresh."""

import signal
import subprocess
import sys

from tests.support.live_server import ROOT, Desk


class Crasher:
    """Runs crash_zygote.py, with the environment of a desk."""

    def __init__(self, desk: Desk) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.orgs.credentials.drills.crash_zygote"],
            cwd=ROOT,
            env=desk.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._read() == "ready"

    def crash(self, point: str, username: str) -> None:
        """Begin a refresh in a new process that is killed at `point`."""
        assert self._process.stdin
        self._process.stdin.write(f"{point} {username}\n")
        self._process.stdin.flush()
        assert int(self._read()) == signal.SIGKILL

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)
        assert self._process.stdout
        self._process.stdout.close()

    def _read(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

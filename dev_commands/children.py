"""Starts, watches and stops the processes of `dev.py run`, each by its process id."""
# ruff: noqa: S603 -- starts the project's own programs

import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from dev_commands import PYTHON, ROOT, fail, say

_START_SECONDS, _STOP_SECONDS = 60, 10

# Without a proxy from the environment: the server is on this machine.
browser = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Children:
    """Python processes that run until `dev.py run` ends. Each writes to its own log file."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder, self._environment = folder, environment
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *arguments: str) -> None:
        """Start Python with these arguments in the background."""
        # In its own session: Ctrl-C reaches dev.py only, which then stops the processes in order.
        with self._log(name).open("wb") as log:
            self._running[name] = subprocess.Popen(
                [PYTHON, *arguments],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def finish(self, *arguments: str, umask: int = -1) -> None:
        """Run a management command and wait for it. Fails if it does; -1 keeps the umask of this process."""
        finished = subprocess.run(
            [PYTHON, "manage.py", *arguments], cwd=ROOT, env=self._environment, umask=umask, check=False
        )
        if finished.returncode:
            fail(f"`manage.py {arguments[0]}` failed. See its output above.")

    def check(self) -> None:
        """Fail if a process has ended, with the last lines of its log."""
        for name, process in self._running.items():
            if process.poll() is not None:
                tail = "\n".join(self._log(name).read_text(errors="replace").splitlines()[-20:])
                fail(f"`{name}` exited with status {process.returncode}, so Frontdesk stops. Its last lines:\n{tail}")

    def wait_for(self, url: str, *statuses: int) -> None:
        """Wait until `url` responds with one of these statuses, at most 60 seconds."""
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            self.check()
            with suppress(OSError):
                if _status(url) in statuses:
                    return
            time.sleep(0.05)
        fail(f"{url} was not ready within {_START_SECONDS} s. See the logs in {self._folder.name}/.")

    def watch(self) -> NoReturn:
        """Wait until a process ends, which is a failure."""
        while True:
            self.check()
            time.sleep(0.5)

    @contextmanager
    def stopping(self) -> Iterator[None]:
        """Stop all processes when the block ends. SIGINT, SIGTERM and SIGHUP end the block."""
        signals = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
        for number in signals:
            signal.signal(number, signal.default_int_handler)
        try:
            yield
        except KeyboardInterrupt:
            say("\nStopping.")
        finally:
            for number in signals:
                signal.signal(number, signal.SIG_IGN)
            self._stop()

    def _stop(self) -> None:
        for process in reversed(self._running.values()):
            process.terminate()
        until = time.monotonic() + _STOP_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"


def _status(url: str) -> int:
    try:
        with browser.open(url, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code

"""Runs the published npm client in a child process and drives it line by line."""

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "node"
_INSTALLED = FOLDER / "node_modules" / ".package-lock.json"


def need_node() -> str:
    """Return the path of Node with the client installed, or skip the test."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        _do_without("Node or npm is not installed")
    # Two workers of a test run must not install at the same time.
    with (FOLDER / ".npmrc").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = (FOLDER / "package-lock.json").stat().st_mtime
        if not _INSTALLED.exists() or _INSTALLED.stat().st_mtime < wanted:
            done = subprocess.run([str(npm), "ci"], cwd=FOLDER, capture_output=True, text=True, timeout=300)
            if done.returncode:
                _do_without(f"npm cannot install the ServiceStack client: {done.stderr[-500:]}")
            _INSTALLED.touch()
    return str(node)


def _do_without(reason: str) -> None:
    if os.environ.get("FRONTDESK_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


class NodeClient:
    """A JsonServiceClient or JsonApiClient in Node."""

    def __init__(self, node: str, kind: str, url: str) -> None:
        self.kind = kind
        self._process = subprocess.Popen(
            [node, "client.mjs", kind, url], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, command: str, **members: Any) -> Any:
        """Run a command in the client and return its result: a response or an error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": command, "with": members}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()

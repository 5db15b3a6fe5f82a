"""Node and npm packages, for tests that run programs of the npm registry."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest


def need_node(folder: Path) -> str:
    """Return the path of Node, with the packages of a folder's lockfile installed there, or skip the test.

    Without addresses in the lockfile, packages come from the registry that npm is set up for; its hashes decide.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        _do_without("Node or npm is not installed")
    installed = folder / "node_modules" / ".package-lock.json"
    # Two workers of a test run must not install at the same time.
    with (folder / ".npmrc").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = (folder / "package-lock.json").stat().st_mtime
        if not installed.exists() or installed.stat().st_mtime < wanted:
            command = [str(npm), "ci", "--ignore-scripts"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
            if done.returncode:
                _do_without(f"npm cannot install the packages of {folder.name}: {done.stderr[-500:]}")
            installed.touch()
    return str(node)


def _do_without(reason: str) -> None:
    if os.environ.get("FRONTDESK_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)

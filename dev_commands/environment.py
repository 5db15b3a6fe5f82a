"""Keeps .venv as the hashed locks say, and rewrites the locks. Asks the network only when they changed."""
# ruff: noqa: S603 -- starts Python, pip and uv, with arguments of our own

import ast
import hashlib
import importlib.util
import os
import platform
import subprocess
import sys

from dev_commands import PYTHON, ROOT, VENV, fail, say

RUN_LOCK, TEST_LOCK, UV_LOCK = "requirements.txt", "requirements-dev.txt", "requirements-bootstrap.txt"
_STAMP = VENV / "frontdesk-stamp"

# uv does not read pip's configuration; what a site has set there is handed over by these names.
_PIP_OPTION_IN_UV = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
}


def make_environment(lock: str) -> None:
    """See that .venv holds what `lock` names; what was installed for tests will do to run as well."""
    state = hashlib.sha256(f"{sys.version_info[:2]} {platform.machine()}".encode())
    for name in (UV_LOCK, RUN_LOCK, TEST_LOCK):
        state.update((ROOT / name).read_bytes())
    stamp = _STAMP.read_text() if _STAMP.exists() and PYTHON.exists() else ""
    if stamp in {f"{lock} {state.hexdigest()}", f"{TEST_LOCK} {state.hexdigest()}"}:
        return
    say(f"Installing {lock} into .venv ...")
    _STAMP.unlink(missing_ok=True)
    if not _has_this_python():
        subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", VENV], check=True)
    _install(lock)
    _STAMP.write_text(f"{lock} {state.hexdigest()}")


def write_locks() -> None:
    """Write all three locks anew: for every platform, with hashes, without addresses."""
    make_environment(RUN_LOCK)
    compile_ = [str(PYTHON), "-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    compile_ += ["--no-emit-index-url", "--no-header", "--python-version", "3.11"]
    project = [*compile_, "pyproject.toml", "--output-file"]
    environment = _uv_environment(_pip())
    for command, typed in (
        ([*project, RUN_LOCK], ""),
        ([*project, TEST_LOCK, "--extra", "dev", "-c", RUN_LOCK], ""),
        ([*compile_, "-", "--no-annotate", "--output-file", UV_LOCK], "uv\n"),
    ):
        subprocess.run(command, input=typed, text=True, cwd=ROOT, env=environment, check=True)
    say(f"{RUN_LOCK}, {TEST_LOCK} and {UV_LOCK} are up to date with pyproject.toml.")


def _has_this_python() -> bool:
    code = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", code], check=False).returncode == 0


def _install(lock: str) -> None:
    pip = _pip()
    hashed = ["install", "--require-hashes", "--requirement"]
    if subprocess.run([*pip, *hashed, UV_LOCK, "-qq"], cwd=ROOT, check=False).returncode == 0:
        uv = [str(PYTHON), "-m", "uv", "pip", *hashed, lock, "--python", str(PYTHON), "--quiet"]
        if subprocess.run(uv, cwd=ROOT, env=_uv_environment(pip), check=False).returncode == 0:
            return
    say("uv cannot do it here; pip installs instead, which takes longer.")
    if subprocess.run([*pip, *hashed, lock, "-qq"], cwd=ROOT, check=False).returncode:
        fail(f"{lock} could not be installed; pip says above why.")


def _pip() -> list[str]:
    """Return the pip of this Python, turned on .venv; where there is none, the one that Python carries in itself."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "--python", str(PYTHON), "--disable-pip-version-check"]
    if subprocess.run([PYTHON, "-m", "ensurepip"], capture_output=True, check=False).returncode:
        fail(f"{sys.executable} has no pip. Install it (Debian: apt-get install python3-pip) and try again.")
    return [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]


def _uv_environment(pip: list[str]) -> dict[str, str]:
    """Return the environment in which uv looks for packages where pip would."""
    listed = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False).stdout
    found: dict[str, list[str]] = {}
    for section in ("global.", "install.", ":env:."):  # The later wins.
        for line in listed.splitlines():
            option, _, value = line.partition("=")
            if option.startswith(section) and (words := str(ast.literal_eval(value)).split()):
                found[option.removeprefix(section)] = words
    environment = {
        variable: separator.join(found[option])
        for option, (variable, separator) in _PIP_OPTION_IN_UV.items()
        if option in found
    }
    if "UV_INDEX" in environment:
        # As pip does: the best of all indexes. The hashes of the lock decide what may be installed.
        environment["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return environment | os.environ

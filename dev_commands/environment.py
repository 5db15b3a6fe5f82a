"""Installs the hashed requirements files into .venv, and updates them. Uses the network only if they changed."""
# ruff: noqa: S603 -- starts Python, pip and uv with fixed arguments

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

# uv does not read pip's configuration: each option is passed as an environment variable, with this separator.
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
    """Install the packages of `lock` into .venv, unless they or those of TEST_LOCK are installed."""
    state = hashlib.sha256(f"{sys.version_info[:2]} {platform.machine()}".encode())
    for name in (UV_LOCK, RUN_LOCK, TEST_LOCK):
        state.update((ROOT / name).read_bytes())
    stamp = _STAMP.read_text() if _STAMP.exists() and PYTHON.exists() else ""
    if stamp in {f"{lock} {state.hexdigest()}", f"{TEST_LOCK} {state.hexdigest()}"}:
        return
    say(f"Installing {lock} into .venv ...")
    _STAMP.unlink(missing_ok=True)
    if not _has_current_python():
        subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", VENV], check=True)
    _install(lock)
    _STAMP.write_text(f"{lock} {state.hexdigest()}")


def write_locks() -> None:
    """Update the three requirements files, for all platforms, with hashes and without index URLs."""
    make_environment(RUN_LOCK)
    compile_ = [str(PYTHON), "-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    compile_ += ["--no-emit-index-url", "--no-header", "--python-version", "3.11"]
    project = [*compile_, "pyproject.toml", "--output-file"]
    environment = _uv_environment(_pip())
    for command, stdin in (
        ([*project, RUN_LOCK], ""),
        ([*project, TEST_LOCK, "--extra", "dev", "-c", RUN_LOCK], ""),
        ([*compile_, "-", "--no-annotate", "--output-file", UV_LOCK], "uv\n"),
    ):
        subprocess.run(command, input=stdin, text=True, cwd=ROOT, env=environment, check=True)
    say(f"{RUN_LOCK}, {TEST_LOCK} and {UV_LOCK} are up to date with pyproject.toml.")


def _has_current_python() -> bool:
    code = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", code], check=False).returncode == 0


def _install(lock: str) -> None:
    pip = _pip()
    hashed = ["install", "--require-hashes", "--requirement"]
    if subprocess.run([*pip, *hashed, UV_LOCK, "-qq"], cwd=ROOT, check=False).returncode == 0:
        uv = [str(PYTHON), "-m", "uv", "pip", *hashed, lock, "--python", str(PYTHON), "--quiet"]
        if subprocess.run(uv, cwd=ROOT, env=_uv_environment(pip), check=False).returncode == 0:
            return
    say("uv failed. Installing with pip instead, which takes longer.")
    if subprocess.run([*pip, *hashed, lock, "-qq"], cwd=ROOT, check=False).returncode:
        fail(f"{lock} could not be installed. See the output of pip above.")


def _pip() -> list[str]:
    """Return the command of pip for .venv: that of this Python, or the one that ensurepip installs."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "--python", str(PYTHON), "--disable-pip-version-check"]
    if subprocess.run([PYTHON, "-m", "ensurepip"], capture_output=True, check=False).returncode:
        fail(f"{sys.executable} has no pip. Install it (Debian: apt-get install python3-pip) and try again.")
    return [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]


def _uv_environment(pip: list[str]) -> dict[str, str]:
    """Return the environment that gives uv the package indexes and options of pip."""
    listed = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False).stdout
    options: dict[str, list[str]] = {}
    for section in ("global.", "install.", ":env:."):  # The last one takes precedence.
        for line in listed.splitlines():
            option, _, value = line.partition("=")
            if option.startswith(section) and (words := str(ast.literal_eval(value)).split()):
                options[option.removeprefix(section)] = words
    environment = {
        variable: separator.join(options[option])
        for option, (variable, separator) in _PIP_OPTION_IN_UV.items()
        if option in options
    }
    if "UV_INDEX" in environment:
        # As pip does: the best version of all indexes. The hashes decide what may be installed.
        environment["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return environment | os.environ

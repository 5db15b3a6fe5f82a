"""The requirements files on a machine without uv: pip alone can install them."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def _pins(name: str) -> dict[str, str]:
    """Return the pins of a requirements file, each with its hashes, by package."""
    text = (ROOT / name).read_text()
    return {pin.partition("==")[0]: pin for pin in re.findall(r"^\S+==.*\n(?:    --hash=.*\n)+", text, re.MULTILINE)}


def test_pip_finds_every_pinned_version_for_this_python(tmp_path):
    run, dev = _pins("requirements.txt"), _pins("requirements-dev.txt")
    assert run.keys() <= dev.keys()
    # tests/test_dockerfile.py installs those of requirements.txt. uv has pinned all dependencies.
    (tmp_path / "pins.txt").write_text("".join(dev[name] for name in dev.keys() - run.keys()))
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    pip = [tmp_path / "venv" / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "-q"]
    install = ["install", "--dry-run", "--no-deps", "--require-hashes", "--requirement", tmp_path / "pins.txt"]

    ended = subprocess.run([*pip, *install], capture_output=True, text=True, timeout=300)

    assert ended.returncode == 0, ended.stderr[-2000:]

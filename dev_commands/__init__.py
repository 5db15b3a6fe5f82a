"""The commands of `dev.py`. They import the standard library only: they run before anything is installed.

desk.py          `run` and `key`: the server, its settings and its bearer tokens. Open this first.
children.py      Starts, watches and stops the processes of `run`. guide.py is the text that `run` prints.
suite.py         `test`: linter, type checker and tests.
environment.py   Creates .venv from the hashed requirements files; `lock` updates these.
"""

import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def say(text: str) -> None:
    """Print and flush: the output may be a pipe."""
    print(text, flush=True)


def fail(reason: str) -> NoReturn:
    """Exit with code 1 and the reason on standard error."""
    sys.exit(f"dev.py: {reason}")

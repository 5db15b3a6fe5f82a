"""What `dev.py` does, one module for each command. The standard library alone: nothing is installed yet."""

import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


def fail(reason: str) -> NoReturn:
    """End with the reason on standard error and exit code 1."""
    sys.exit(f"dev.py: {reason}")

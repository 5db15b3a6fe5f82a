"""Reads the environment, and names the variable whose value cannot be; never the value, which may be a secret."""

import io
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

_ON = ("true", "on", "yes", "y", "1")
_OFF = ("false", "off", "no", "n", "0")
_ASSIGNMENT = re.compile(r"(?:export )?[A-Za-z_0-9]+=")
_DATABASES = ("postgres", "postgresql", "sqlite")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def _switch(text: str) -> bool:
    word = text.strip().lower()
    if word not in _ON + _OFF:
        raise ValueError
    return word in _ON


_FORMS: dict[Any, tuple[Callable[[str], Any], str]] = {
    int: (int, "a whole number, such as 10"),
    float: (_finite, "a number, such as 10 or 2.5"),
    bool: (_switch, "true or false"),
}


class Environment(environ.Env):  # type: ignore[misc]  # environ has no types
    """Variables with a type. Raises ImproperlyConfigured, which says what to write."""

    def over_file(self, path: str) -> "Environment":
        """Return the variables of the process, with those of a file where the process has none.

        The file's are kept out of the process's environment: a reload reads the file again, and what it
        said before must not pass for a variable that was set on purpose.
        """
        both = Environment()
        both.ENVIRON = {**_read_file(Path(path)), **os.environ}
        return both

    def get_value(
        self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, parse_default: bool = False
    ) -> Any:
        """Return a variable's value, or the default. environ itself would take any word for false."""
        if cast not in _FORMS or var not in self.ENVIRON:
            return super().get_value(var, cast, default, parse_default)
        read, form = _FORMS[cast]
        try:
            return read(super().get_value(var))
        except ValueError:
            raise ImproperlyConfigured(f"{var} must be {form}.") from None

    def db_url(self, var: str = "DATABASE_URL", default: Any = environ.Env.NOTSET, engine: Any = None) -> Any:
        """Return the database that an address stands for, as Django wants it."""
        if not _is_database(self.get_value(var, default=default)):
            raise ImproperlyConfigured(
                f"{var} must be postgres://USER:PASSWORD@HOST:5432/NAME, with what is special in the password "
                "percent-encoded, or sqlite:////PATH of a file."
            )
        return super().db_url(var, default, engine)


def _read_file(path: Path) -> dict[str, str]:
    """Return the variables in a file, none if there is no file. Lines that set nothing are refused by their number."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{path} cannot be read: {type(error).__name__}.") from None
    kept = []
    for number, line in enumerate(lines, start=1):
        if _ASSIGNMENT.match(line):
            kept.append(line)
        elif line.strip() and not line.lstrip().startswith("#"):
            raise ImproperlyConfigured(f"Line {number} of {path} must read NAME=VALUE, without spaces around the =.")

    class File(environ.Env):  # type: ignore[misc]  # environ has no types, and reads into the class
        ENVIRON: dict[str, str] = {}

    File.read_env(io.StringIO("\n".join(kept)))
    return File.ENVIRON


def _is_database(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in _DATABASES and bool(parts.path.strip("/")) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False

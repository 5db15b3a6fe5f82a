"""Typed environment variables. An error names the variable, never its value, which may be a secret."""

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

# An entry of Django's DATABASES.
DatabaseSettings = dict[str, Any]

_ON = ("true", "on", "yes", "y", "1")
_OFF = ("false", "off", "no", "n", "0")
_ASSIGNMENT = re.compile(r"(?:export )?[A-Za-z_0-9]+=")
_DATABASES = ("postgres", "postgresql", "sqlite")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in _ON + _OFF:
        raise ValueError
    return word in _ON


_FORMATS: dict[object, tuple[Callable[[str], object], str]] = {
    int: (int, "a whole number, such as 10"),
    float: (_finite, "a number, such as 10 or 2.5"),
    bool: (_boolean, "true or false"),
}


class Environment(environ.Env):  # type: ignore[misc]  # untyped
    """Environment variables with types. Raises ImproperlyConfigured for an invalid value, naming the valid format."""

    def over_file(self, path: str) -> "Environment":
        """Return the variables of the process, with those of a file as defaults.

        The file's variables are not added to the process's environment: a reload reads the file again, and
        its earlier values must not take precedence as if they were set in the environment.
        """
        both = Environment()
        both.ENVIRON = {**_read_file(Path(path)), **os.environ}
        return both

    def get_value(
        self, var: str, cast: object = None, default: object = environ.Env.NOTSET, parse_default: bool = False
    ) -> Any:  # the type that `cast` names
        """Return a variable's value, or the default. environ itself reads any unknown word as false."""
        if cast not in _FORMATS or var not in self.ENVIRON:
            return super().get_value(var, cast, default, parse_default)
        parse, valid = _FORMATS[cast]
        try:
            return parse(super().get_value(var))
        except ValueError:
            raise ImproperlyConfigured(f"{var} must be {valid}.") from None

    def db_url(
        self, var: str = "DATABASE_URL", default: object = environ.Env.NOTSET, engine: str | None = None
    ) -> DatabaseSettings:
        """Return the entry of Django's DATABASES for a database URL."""
        if not _is_database(self.get_value(var, default=default)):
            raise ImproperlyConfigured(
                f"{var} must be postgres://USER:PASSWORD@HOST:5432/NAME, with special characters in the password "
                "percent-encoded, or sqlite:////PATH of a file."
            )
        settings: DatabaseSettings = super().db_url(var, default, engine)
        return settings


def _read_file(path: Path) -> dict[str, str]:
    """Return the variables in a file, {} if it does not exist. Raises ImproperlyConfigured for a bad line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{path} cannot be read: {type(error).__name__}.") from None
    kept = []
    for number, line in enumerate(lines, start=1):
        if _ASSIGNMENT.match(line):
            kept.append(line)
        elif line.strip() and not line.lstrip().startswith("#"):
            raise ImproperlyConfigured(f"Line {number} of {path} must be NAME=VALUE, without spaces around the =.")

    class File(environ.Env):  # type: ignore[misc]  # untyped; it reads into the class
        ENVIRON: dict[str, str] = {}

    File.read_env(io.StringIO("\n".join(kept)))
    return File.ENVIRON


def _is_database(url: object) -> bool:
    try:
        parts = urlsplit(str(url))
        return parts.scheme in _DATABASES and bool(parts.path.strip("/")) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False

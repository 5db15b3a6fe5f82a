"""Reads the environment, and names the variable whose value cannot be; never the value, which may be a secret."""

import math
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

_ON = ("true", "on", "yes", "y", "1")
_OFF = ("false", "off", "no", "n", "0")
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


def _is_database(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in _DATABASES and bool(parts.path.strip("/")) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False

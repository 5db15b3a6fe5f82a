"""Every operation of this desk, taken from the URL configuration itself."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, get_resolver

CONSOLE = "/console/"


def operations() -> Iterator[tuple[str, str]]:
    """Yield (method, path) of each route but the console's; `<str:token>` and its like stay as they are.

    All pages of the console require an owner, as tested in tests/authn/console/test_console_access.py.
    """
    for path, callback in _routes(get_resolver().url_patterns, "/"):
        if not path.startswith(CONSOLE):
            for method in _methods(callback):
                yield method, path


def console_paths() -> list[str]:
    """Return the path of each view of the console."""
    return [path for path in paths() if path.startswith(CONSOLE)]


def paths() -> list[str]:
    """Return the path of each route."""
    return [path for path, _ in _routes(get_resolver().url_patterns, "/")]


def _routes(patterns: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for entry in patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield path, entry.callback
        else:
            yield from _routes(entry.url_patterns, path)


def _methods(callback: Any) -> list[str]:
    actions = getattr(callback, "actions", None)
    if actions:
        return [method.upper() for method in actions if method != "head"]
    view = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
    if view is None or view.__name__ == "RedirectView":
        return ["GET"]
    return [method.upper() for method in ("get", "post", "put", "patch", "delete") if hasattr(view, method)]

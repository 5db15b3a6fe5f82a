"""Catalogue of the errors that a client may see: status, message, action and page action of every code.

The entries stand where the errors are defined; this module collects them. docs/api.md lists their codes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from types import ModuleType

from authn import errors as authn
from authn.errors import DomainError
from config.error_statuses import status_of_class
from config.framework_errors import FRAMEWORK_ERRORS
from orgs import errors as orgs
from orgs.credentials import errors as credentials
from orgs.credentials.failures import BY_CODE
from sandboxes import errors as sandboxes
from sandboxes.pools import errors as pools

_MODULES: tuple[ModuleType, ...] = (authn, credentials, orgs, sandboxes, pools)


@dataclass(frozen=True, slots=True)
class CataloguedError:
    """One error. `message` is a template whose fields stand in braces. `page_action` is the action on HTML pages."""

    code: str
    status: HTTPStatus
    message: str
    action: str
    page_action: str


def catalogue() -> list[CataloguedError]:
    """Return all errors, by status and code. A code that has several messages or statuses has an entry for each."""
    entries = [*_domain_errors(), *_failures(), *_framework_errors()]
    return sorted(entries, key=lambda entry: (entry.status, entry.code, entry.message))


def _domain_errors() -> Iterator[CataloguedError]:
    """Yield the classes that have a code. The others are base classes, or take the code of a refresh failure."""
    for module in _MODULES:
        for cls in vars(module).values():
            if (
                isinstance(cls, type)
                and issubclass(cls, DomainError)
                and cls.__module__ == module.__name__
                and cls.code
            ):
                yield _entry(cls, cls.code, cls.message, cls.action, cls.page_action)


def _failures() -> Iterator[CataloguedError]:
    for failure in BY_CODE.values():
        yield _entry(failure.raises, failure.code, failure.message, failure.action, failure.page_action)


def _entry(cls: type[DomainError], code: str, message: str, action: str, page_action: str) -> CataloguedError:
    status = status_of_class(cls)
    if status is None:
        raise LookupError(f"{cls.__name__} has no status in config/error_statuses.py.")
    return CataloguedError(code, status, message, action, page_action or action)


def _framework_errors() -> Iterator[CataloguedError]:
    for error in FRAMEWORK_ERRORS:
        yield CataloguedError(error.code, error.status, error.message, error.action, error.page_action)

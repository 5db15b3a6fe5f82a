"""The error catalogue holds every code that the source defines, with texts that fit the API and the pages."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from authn.errors import DomainError
from config.error_catalogue import CataloguedError, catalogue

ROOT = Path(__file__).parent.parent.parent
APPS = ("authn", "orgs", "sandboxes", "config")
# ServiceStack's clients know other codes, and the emulator sends Salesforce's.
FOREIGN_CODES = ("authn/servicestack/", "orgs/salesforce/emulator/")
CATALOGUE = catalogue()
# Their messages are prescribed by the contract of the API.
WITHOUT_FULL_STOP = ("INVALID_CREDENTIALS", "ROLE_REQUIRED", "CREDENTIALS_FORBIDDEN")
# A path, a method, a field in camel case, or what only a client of the API can do.
API_CALL = re.compile(r"/sfp/|\b(?:GET|POST|PUT|PATCH|DELETE|[Oo]mit|Retry-After|[a-z]+[A-Z]\w*)\b")


def _subclasses(cls: type[DomainError]) -> set[type[DomainError]]:
    return {cls} | {deeper for child in cls.__subclasses__() for deeper in _subclasses(child)}


DOMAIN_ERRORS = {cls.__name__: cls for cls in _subclasses(DomainError) if cls.__module__.partition(".")[0] in APPS}
RECORDS = {"Failure", "FrameworkError"}


def _codes_in(tree: ast.Module) -> Iterator[str]:
    """Yield the codes that a file defines.

    They are `code = "X"` in a class, `code="X"` in a call, {"code": "X"} in a dict, and the first argument where
    a DomainError, Failure or FrameworkError is made, or by a function of the file that returns one of the latter.
    """
    factories = {*DOMAIN_ERRORS, *RECORDS} | {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns) in RECORDS
    }
    for node in ast.walk(tree):
        for value in _values_of(node, factories):
            if isinstance(value, ast.Constant) and re.fullmatch("[A-Z][A-Z_]+[A-Z]", str(value.value)):
                yield str(value.value)


def _values_of(node: ast.AST, factories: set[str]) -> Iterator[ast.expr]:
    match node:
        case ast.ClassDef(body=body):
            assigned = [line for line in body if isinstance(line, ast.Assign)]
            yield from (line.value for line in assigned if ast.unparse(line.targets[0]) == "code")
        case ast.Call(func=called, args=args, keywords=keywords):
            yield from (keyword.value for keyword in keywords if keyword.arg == "code")
            if ast.unparse(called).rpartition(".")[2] in factories:
                yield from args[:1]
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "code":
                    yield value


def _defined_codes() -> Counter[str]:
    """Return how often each code is defined in the source."""
    files = [file.relative_to(ROOT) for app in APPS for file in (ROOT / app).rglob("*.py")]
    ours = [file for file in files if not file.as_posix().startswith(FOREIGN_CODES)]
    return Counter(code for file in ours for code in _codes_in(ast.parse((ROOT / file).read_text())))


def test_the_catalogue_holds_every_code_of_the_source():
    assert {entry.code for entry in CATALOGUE} == set(_defined_codes())


def test_no_code_is_spelled_at_two_places():
    assert {code: count for code, count in _defined_codes().items() if count > 1} == {}


def test_every_domain_error_is_in_the_catalogue():
    entries = {(entry.code, entry.message) for entry in CATALOGUE}

    assert {(cls.code, cls.message) for cls in DOMAIN_ERRORS.values() if cls.code} <= entries


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: f"{entry.status.value}-{entry.code}")
def test_every_entry_says_what_happened_and_what_to_do(entry: CataloguedError):
    assert entry.message.endswith(".") or entry.code in WITHOUT_FULL_STOP
    assert entry.action.endswith(".")
    assert entry.page_action.endswith(".")


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: f"{entry.status.value}-{entry.code}")
def test_no_action_on_a_page_describes_an_api_call(entry: CataloguedError):
    assert not API_CALL.search(entry.page_action)

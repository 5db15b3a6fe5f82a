"""The documentation names every setting, every route and every error code that there is."""

import ast
import re
from pathlib import Path

import pytest

from authn.errors import DomainError
from config.exceptions import _ACTIONS
from orgs.credentials.errors import OrgError
from orgs.credentials.failures import BY_CODE
from tests.support.routes import operations

ROOT = Path(__file__).parent.parent
SETTINGS = sorted(
    set(re.findall(r'env(?:\.\w+)?\(\s*"([A-Z_]+)"', (ROOT / "config" / "settings.py").read_text()))
    | {"WEB_CONCURRENCY"}
)
REFUSALS = {"Refused", "RegistrationRefused", "InvalidChange", "NotFound"}  # their first argument is the code


def _subclasses(cls: type) -> set[type]:
    return {cls} | {deeper for child in cls.__subclasses__() for deeper in _subclasses(child)}


def _codes_in(file: Path) -> set[str]:
    """Return the codes that a file writes out: `code = "X"` of a class, `code="X"`, Refused("X", ...)."""
    found: list[ast.expr] = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ClassDef):
            assigned = [line for line in node.body if isinstance(line, ast.Assign)]
            found += [line.value for line in assigned if ast.unparse(line.targets[0]) == "code"]
        elif isinstance(node, ast.Call):
            found += [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            found += node.args[:1] if ast.unparse(node.func).rpartition(".")[2] in REFUSALS else []
    texts = {value.value for value in found if isinstance(value, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and re.fullmatch("[A-Z][A-Z_]+", text)}


APPS = ("authn", "orgs", "sandboxes", "config")
CODES = sorted(
    {cls.__dict__["code"] for root in (DomainError, OrgError) for cls in _subclasses(root) if "code" in cls.__dict__}
    | {
        code
        for app in ("authn", "orgs", "sandboxes", "config")
        for file in (ROOT / app).rglob("*.py")
        for code in _codes_in(file)
    }
    | set(BY_CODE)
    | {code for code, _ in _ACTIONS.values()}
)
ABSTRACT = {"ORGS_ERROR", "SANDBOXES_ERROR"}  # what a subclass without a code would have


def _text(name: str) -> str:
    return (ROOT / name).read_text()


def test_there_are_settings_and_codes_to_look_for():
    assert len(SETTINGS) > 20
    assert {"TOKEN_EXPIRED", "ORG_NOT_FOUND", "USERNAME_MISMATCH", "INVALID_JSON", "LOGIN_BUDGET"} < set(CODES)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("document", [".env.example", "docs/configuration.md"])
def test_every_setting_is_documented(document, name):
    assert re.search(rf"\b{name}\b", _text(document))


def test_no_setting_is_documented_that_nobody_reads():
    shown = set(re.findall(r"^#? ?([A-Z_]{4,})=", _text(".env.example"), re.MULTILINE))

    assert shown - set(SETTINGS) == {"POSTGRES_PASSWORD"}, "compose.yaml reads that one"


@pytest.mark.parametrize(("method", "path"), sorted(set(operations())), ids=lambda value: value)
def test_every_route_is_documented(method, path):
    assert re.search(rf"`{method} {re.escape(path)}[`?]", _text("docs/api.md"))


@pytest.mark.parametrize("code", [code for code in CODES if code not in ABSTRACT])
def test_every_error_code_is_documented(code):
    assert f"`{code}`" in _text("docs/api.md")


@pytest.mark.parametrize("code", [ending.code for ending in BY_CODE.values() if ending.health])
def test_every_reason_of_bad_health_tells_operators_what_to_do(code):
    assert f"`{code}`" in _text("docs/operations.md")


def test_check_ids_in_the_documentation_exist():
    checks = "".join(_text(f"{app}/checks.py") for app in ("authn", "orgs", "sandboxes"))

    named = set(re.findall(r"(?:authn|orgs|sandboxes)\.E\d{3}", _text("docs/configuration.md")))

    assert named
    assert all(check in checks for check in named)


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", *(f"docs/{name}.md" for name in ("architecture", "operations"))]
)
def test_files_that_are_named_exist(document):
    for name in re.findall(r"`([a-z_./]+\.(?:py|md|toml|yaml|txt))`", _text(document)):
        found = list(ROOT.glob(name)) or list(ROOT.glob(f"orgs/salesforce/{name}")) or list(ROOT.glob(f"orgs/{name}"))
        assert found, f"{document} names {name}"

"""The documentation names every setting, route and error code that exists, and nothing that does not."""

import re
from pathlib import Path

import pytest

from config.error_catalogue import catalogue
from orgs.credentials.failures import BY_CODE
from tests.support.routes import operations

ROOT = Path(__file__).parent.parent
SETTINGS = sorted(
    set(re.findall(r'env(?:\.\w+)?\(\s*"([A-Z_]+)"', (ROOT / "config" / "settings.py").read_text()))
    | {"WEB_CONCURRENCY"}
)
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "bench/*.md", "docs/*.md", "docs/decisions/*.md")
    for path in ROOT.glob(pattern)
)
# A decision and the glossary are meant to be read in one go.
SHORT_DOCUMENTS = ["docs/glossary.md", *(name for name in DOCUMENTS if name.startswith("docs/decisions/"))]
MOST_LINES = 40


def _text(name: str) -> str:
    return (ROOT / name).read_text()


# --- Settings and routes ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("document", [".env.example", "docs/configuration.md"])
def test_every_setting_is_documented(document, name):
    assert re.search(rf"\b{name}\b", _text(document))


def test_no_unknown_setting_is_documented():
    template = set(re.findall(r"^#? ?([A-Z_]{4,})=", _text(".env.example"), re.MULTILINE))
    reference = set(re.findall(r"^\| `([A-Z_]{4,})` \|", _text("docs/configuration.md"), re.MULTILINE))

    assert template == set(SETTINGS) | {"POSTGRES_PASSWORD"}, "compose.yaml reads that one"
    assert reference == template


@pytest.mark.parametrize(("method", "path"), sorted(set(operations())), ids=lambda value: value)
def test_every_route_is_documented(method, path):
    assert re.search(rf"`{method} {re.escape(path)}[`?]", _text("docs/api.md"))


def test_check_ids_in_the_documentation_exist():
    checks = "".join(_text(f"{app}/checks.py") for app in ("authn", "orgs", "sandboxes"))

    named = set(re.findall(r"(?:authn|orgs|sandboxes)\.E\d{3}", _text("docs/configuration.md")))

    assert named
    assert all(check in checks for check in named)


# --- Error codes -----------------------------------------------------------------------------------

CATALOGUE = catalogue()


def _documented_errors() -> set[tuple[int, str]]:
    """Return (status, code) for each code in the table of docs/api.md."""
    section = _text("docs/api.md").partition("\n## Errors\n")[2]
    rows = re.findall(r"^\| (\d{3})[^|]*\| (.*) \|$", section, re.MULTILINE)
    return {(int(status), code) for status, codes in rows for code in re.findall(r"`([A-Z_]+)`", codes)} - {
        (400, "ALLOWED_HOSTS")  # a setting
    }


def test_the_error_table_is_the_catalogue():
    assert _documented_errors() == {(entry.status, entry.code) for entry in CATALOGUE}


@pytest.mark.parametrize("code", [failure.code for failure in BY_CODE.values() if failure.health])
def test_operations_says_what_to_do_for_every_health_reason(code):
    assert re.search(rf"^\|.*`{code}`.*\|", _text("docs/operations.md"), re.MULTILINE)


# --- Files and links -------------------------------------------------------------------------------

FILE = r"[\w.-]+\.(?:py|md|toml|yaml|txt|html|js|css|lock)"
FOLDERS = ("authn", "bench", "config", "dev_commands", "docs", "orgs", "sandboxes", "static", "templates", "tests")
# A path from the root, in prose or in a drawing; or the name of a file in backticks.
PATHS = re.compile(rf"(?<![\w/.-])(?:{'|'.join(FOLDERS)})/(?:\w+/)*(?:{FILE})?(?![\w/])")
NAMES = re.compile(rf"`({FILE})`")
# Where a file may be that is named without a folder.
SEARCHED = ("", "bench", "orgs/credentials", "orgs/salesforce", "sandboxes/on_demand", "authn/servicestack")
# Conventions that CONTRIBUTING.md explains: each app has these files.
IN_EACH_APP = {"errors.py", "serializers.py", "views.py", "urls.py", "checks.py", "admin.py"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_are_named_exist(document):
    text = _text(document)

    for path in PATHS.findall(text):
        assert (ROOT / path).exists(), f"{document} names {path}"
    for name in set(NAMES.findall(text)) - IN_EACH_APP:
        assert any((ROOT / folder / name).exists() for folder in SEARCHED), f"{document} names {name}"


def _anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_to_a_file_and_a_heading(document):
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", _text(document)):
        name, _, anchor = target.partition("#")
        file = (ROOT / document).parent / name if name else ROOT / document
        assert file.exists(), f"{document} links to {target}"
        assert not anchor or anchor in _anchors(file), f"{document} links to {target}"


@pytest.mark.parametrize("document", SHORT_DOCUMENTS)
def test_glossary_and_decisions_are_short(document):
    assert len(_text(document).splitlines()) <= MOST_LINES


def test_decisions_are_numbered_without_gaps():
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))]

    assert numbers == list(range(1, len(numbers) + 1))

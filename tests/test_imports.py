"""Imports point one way: the drawing of docs/architecture.md, held by reading every import."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EMULATOR = "orgs.salesforce.emulator"
# A package may import itself and these of ours, nothing else of ours.
MAY_IMPORT = {
    "orgs.salesforce": (),
    "authn": (),
    "orgs": ("authn", "orgs.salesforce"),
    "sandboxes": ("orgs", "authn", "orgs.salesforce"),
    "config": ("sandboxes", "orgs", "authn", "orgs.salesforce"),
}
SERVICESTACK = "authn.servicestack"
# What the files of that package import of the project around it; `people` is there to import more.
AROUND_SERVICESTACK = {
    "sessions": {"authn.models"},
    "bearers": {"authn.models"},
    "binding": {"authn.web.strict_json"},
    "callers": {"authn.web.strict_json"},
    "formats.json": {"authn.web.strict_json"},
    "views": {"authn.web.prefetch"},
}
OURS = ("orgs", "authn", "sandboxes", "config")
FILES = sorted(path for package in OURS for path in (ROOT / package).rglob("*.py"))


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _layer(module: str) -> str:
    return next(package for package in MAY_IMPORT if _is_in(module, package))


@pytest.mark.parametrize("path", FILES, ids=_module)
def test_a_module_imports_only_what_is_below_it(path):
    module = _module(path)
    layer = _layer(module)

    for imported in _imports(path):
        if imported.partition(".")[0] in OURS:
            assert _layer(imported) in (layer, *MAY_IMPORT[layer]), f"{module} imports {imported}"
        if imported.partition(".")[0] == "django":
            assert layer != "orgs.salesforce", f"{module} must stay free of Django"


@pytest.mark.parametrize("path", FILES, ids=_module)
def test_only_commands_import_the_emulator(path):
    module = _module(path)

    uses_it = any(_is_in(imported, EMULATOR) for imported in _imports(path))

    assert not uses_it or _is_in(module, EMULATOR) or ".management.commands." in module


def test_the_servicestack_service_knows_the_project_in_these_files_alone():
    around = {}
    for path in (ROOT / "authn" / "servicestack").rglob("*.py"):
        foreign = {
            name.rpartition(".")[0]
            for name in _imports(path)
            if name.partition(".")[0] in OURS and not _is_in(name, SERVICESTACK)
        }
        if foreign:
            around[_module(path).removeprefix(f"{SERVICESTACK}.")] = foreign

    assert around.pop("people")
    assert around == AROUND_SERVICESTACK


def test_what_it_would_take_along_knows_nothing_of_the_project():
    for name in ("strict_json", "prefetch"):
        assert not [imported for imported in _imports(ROOT / "authn" / f"{name}.py") if imported.startswith(OURS)]


def test_the_emulator_is_the_other_side_of_the_wire():
    for path in (ROOT / "orgs" / "salesforce" / "emulator").glob("*.py"):
        foreign = [name for name in _imports(path) if _is_in(name, "orgs.salesforce") and not _is_in(name, EMULATOR)]
        assert not foreign, f"{path.name} would share a mistake with the client that it checks"


def test_no_package_has_a_name_that_says_nothing():
    names = {path.parent.name for path in FILES}

    assert not names & {"core", "common", "utils", "helpers", "services", "api", "misc"}

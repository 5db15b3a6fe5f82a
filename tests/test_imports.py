"""The layers of docs/architecture.md, held by reading every import of the project."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("orgs", "authn", "sandboxes", "config")

# A module belongs to the longest prefix that fits, and imports its own layer and these.
LAYERS: dict[str, tuple[str, ...]] = {
    "orgs.salesforce": (),
    "orgs.salesforce.emulator": (),
    "authn.web": (),
    "authn": ("authn.web",),
    "authn.pages": ("authn", "authn.web"),
    "authn.console": ("authn", "authn.web", "authn.pages"),
    "authn.admin": ("authn", "authn.web", "authn.pages", "authn.console"),
    "authn.servicestack": ("authn", "authn.web"),
    "authn.urls": ("authn", "authn.web", "authn.pages"),
    "authn.management": ("authn", "authn.web", "authn.pages"),
    "orgs.credentials": ("authn", "authn.web", "orgs.salesforce"),
    "orgs": ("authn", "authn.web", "authn.pages", "authn.console", "orgs.credentials", "orgs.salesforce"),
    "sandboxes": ("orgs", "orgs.credentials", "orgs.salesforce", "authn", "authn.web", "authn.pages", "authn.console"),
    "config": (*OURS, "authn.web", "authn.pages", "authn.console", "orgs.credentials", "orgs.salesforce"),
}
# The demo runs the emulator.
COMMANDS = ("orgs.management", "sandboxes.management")
# What the ServiceStack package imports of the project around it; `identity` is the adapter and may import more.
AROUND_SERVICESTACK = {
    "sessions": {"authn.models"},
    "login_tokens": {"authn.models"},
    "binding": {"authn.web.strict_json"},
    "callers": {"authn.web.strict_json"},
    "formats.json": {"authn.web.strict_json"},
    "origins": {"authn.web.redirects", "authn.web.same_origin"},
    "views": {"authn.web.prefetch"},
}
NAMES_THAT_SAY_NOTHING = {"core", "common", "utils", "helpers", "services", "api", "misc"}


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {_module(path): path for package in OURS for path in sorted((ROOT / package).rglob("*.py"))}


def _imports(module: str) -> Iterator[str]:
    """Yield what a module imports: modules of ours by their own name, other things as they are written."""
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{module}: a relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in MODULES else node.module


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _layer(module: str) -> str:
    return max((layer for layer in LAYERS if _is_in(module, layer)), key=len)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_its_layer_and_those_below(module):
    layer = _layer(module)

    for imported in _imports(module):
        if imported.partition(".")[0] in OURS:
            runs_emulator = _is_in(module, COMMANDS[0]) or _is_in(module, COMMANDS[1])
            allowed = (layer, *LAYERS[layer], *(["orgs.salesforce.emulator"] if runs_emulator else []))
            assert _layer(imported) in allowed, f"{module} imports {imported}"
        if imported.partition(".")[0] == "django":
            assert not _is_in(module, "orgs.salesforce"), f"{module} must stay free of Django"


def test_sandboxes_use_the_engine_through_its_package_alone():
    for module in MODULES:
        inside = [name for name in _imports(module) if name.startswith("orgs.credentials.")]
        assert not inside or not _is_in(module, "sandboxes"), f"{module} imports {inside}"


def test_no_modules_import_each_other_in_a_circle():
    imports = {module: {name for name in _imports(module) if name in MODULES} - {module} for module in MODULES}
    while free := {module for module, names in imports.items() if not names & imports.keys()}:
        imports = {module: names for module, names in imports.items() if module not in free}

    assert not imports, f"these form circles, or lead into one: {sorted(imports)}"


def test_the_servicestack_service_knows_the_project_in_these_files_alone():
    around = {}
    for module in MODULES:
        foreign = {
            name for name in _imports(module) if name.startswith(OURS) and not _is_in(name, "authn.servicestack")
        }
        if foreign and _is_in(module, "authn.servicestack"):
            around[module.removeprefix("authn.servicestack.")] = foreign

    assert around.pop("identity")
    assert around == AROUND_SERVICESTACK


def test_no_package_has_a_generic_name():
    assert not {path.parent.name for path in MODULES.values()} & NAMES_THAT_SAY_NOTHING

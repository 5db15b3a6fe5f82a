"""The document has no findings in two linters, and gives types that TypeScript compiles."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import documented_api
from tests.support.node import need_node

FOLDER = Path(__file__).parent / "node"
BIN = FOLDER / "node_modules" / ".bin"


@pytest.fixture(scope="module")
def node() -> str:
    return need_node(FOLDER)


def _run(*command: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(list(map(str, command)), cwd=FOLDER, capture_output=True, text=True, timeout=300)


def test_redocly_finds_nothing(node, document):
    linted = _run(node, "redocly.mjs", document)

    assert (linted.returncode, linted.stdout, linted.stderr) == (0, "", "")


def test_redocly_finds_what_is_missing(node, tmp_path):
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(documented_api.document() | {"servers": []}))

    assert "no-empty-servers" in _run(node, "redocly.mjs", path).stdout


def test_spectral_finds_nothing(node, document):
    options = ("--ruleset", "spectral.yaml", "--fail-severity", "hint")
    linted = _run(node, BIN / "spectral", "lint", document, *options)

    assert (linted.returncode, linted.stdout.strip()) == (0, "No results with a severity of 'hint' or higher found!")


def test_typescript_compiles_the_generated_types(node, document, tmp_path):
    for name in ("usage.ts", "tsconfig.json"):
        shutil.copy(FOLDER / name, tmp_path)
    generated = _run(node, BIN / "openapi-typescript", document, "--output", tmp_path / "generated" / "api.d.ts")
    assert generated.returncode == 0, generated.stderr

    compiled = _run(node, BIN / "tsc", "--project", tmp_path)

    assert (compiled.returncode, compiled.stdout) == (0, "")

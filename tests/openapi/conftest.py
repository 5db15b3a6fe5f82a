"""Fixtures: the document as a file."""

import json
from pathlib import Path

import pytest

from tests.support import documented_api


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the document to a file, and return its path."""
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_text(json.dumps(documented_api.document()))
    return path

"""The id of a node: random, created once, shared by all processes that use one spool."""

import os
import subprocess
import sys

import pytest

from orgs.credentials import spool
from tests.orgs.credentials.disk_faults import no_space
from tests.orgs.factories import REGISTER, an_org
from tests.support.live_server import ROOT


def test_a_node_keeps_its_id(spool_folder):
    first = spool.node_id()
    spool._node_id.cache_clear()

    assert spool.node_id() == first
    assert (spool_folder / "node").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", ["", "5f3c"], ids=["empty", "cut short"])
def test_an_incomplete_node_file_is_replaced(spool_folder, content):
    spool_folder.mkdir()
    (spool_folder / "node").write_text(content)

    node_id = spool.node_id()

    spool._node_id.cache_clear()
    assert spool.node_id() == node_id
    assert (spool_folder / "node").read_text() == node_id.hex


def test_a_full_disk_leaves_no_node_file(spool_folder, monkeypatch):
    spool_folder.mkdir()

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        with pytest.raises(OSError, match="No space left"):
            spool.node_id()

    assert [path.name for path in spool_folder.iterdir()] == ["node.lock"]
    assert spool.node_id() == spool.node_id()


def test_a_desk_that_cannot_write_its_node_file_refuses_and_recovers(owner, salesforce, spool_folder, monkeypatch):
    url = an_org(salesforce).auth_url()

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        refused = owner.post(REGISTER, {"sfdxAuthUrl": url})

    assert (refused.status_code, refused.json()["code"]) == (503, "SPOOL_UNAVAILABLE")
    assert owner.post(REGISTER, {"sfdxAuthUrl": url}).status_code == 201


def test_processes_that_start_together_share_one_node_id(spool_folder):
    spool_folder.mkdir()
    code = "import sys; from orgs.credentials import spool; print(spool._node_id(spool.Path(sys.argv[1])).hex)"
    start = "import django, os; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; django.setup(); "
    command = [sys.executable, "-c", start + code, str(spool_folder)]
    started = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]

    ids = {process.communicate(timeout=60)[0].strip() for process in started}

    assert ids == {(spool_folder / "node").read_text()}

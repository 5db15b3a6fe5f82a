"""Debian's chromium, shut off from every host but the desk under test."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.watching import Watcher

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in item.nodeid:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="chromium is not installed"))


@pytest.fixture(scope="session", autouse=True)
def _django_beside_playwright() -> Iterator[None]:
    # Playwright's event loop runs in this thread, which Django takes for an asynchronous caller.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    arguments += ["--disable-component-update", "--disable-sync"]
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": arguments}


@pytest.fixture
def watcher(context: Any, live_server: Any) -> Iterator[Watcher]:
    """Watches every page of the walk; each error and each request to another host fails the test."""
    watcher = Watcher(live_server.url)
    watcher.watch(context)
    yield watcher
    assert watcher.complaints == []


@pytest.fixture
def watched(page: Any, watcher: Watcher) -> Any:
    """A watched page."""
    return page

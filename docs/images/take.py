"""Takes the screenshots in this folder from a running demo, in light and dark.

    python3 dev.py run                                       # in another terminal
    .venv/bin/python docs/images/take.py http://localhost:8000

Needs what `python3 dev.py test` installs, and chromium.
"""

import json
import shutil
import sys
import urllib.request
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

HERE = Path(__file__).parent
DEMO = HERE.parent.parent / ".demo"
SIZE: ViewportSize = {"width": 1280, "height": 760}
CONTINUE = "/sfp/api/auth/continue?action=frontDoorUrl&params=targetOrg:dev2,repository:acme/app"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
API = "/sfp/api/auth/salesforce"
POOL = {"repository": "acme/app", "poolTag": "features", "assignmentId": "pull-request-7"}


def main(desk: str) -> None:
    """Use some orgs, then take a screenshot of each page."""
    _create_activity(desk)
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scheme in SCHEMES:
            _take_screenshots(browser, desk, scheme)
        browser.close()


def _create_activity(desk: str) -> None:
    """Issue some tokens and fetch a pool instance, so that lists are not empty."""
    for number in range(7):
        _call(desk, "POST", f"{API}/default-devhub/access-token")
        _call(desk, "POST", f"{API}/access-token?username={('emea@acme.example', 'qa')[number % 2]}")
    _call(desk, "POST", f"{API}/sandbox/authenticate", {"sandboxName": "dev2"})
    _call(desk, "POST", "/sfp/api/pools/instances/fetch", POOL | {"assignedToUserEmail": "member@acme.example"})


def _call(desk: str, method: str, path: str, body: dict[str, str] | None = None) -> Any:
    token = (DEMO / "application-token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(urllib.request.Request(desk + path, data, headers, method=method)) as response:  # noqa: S310 -- our own desk
        return json.load(response)


def _take_screenshots(browser: Browser, desk: str, scheme: Literal["light", "dark"]) -> None:
    page = browser.new_context(color_scheme=scheme, viewport=SIZE).new_page()
    page.goto(desk + CONTINUE)
    _screenshot(page, f"continue-{scheme}")
    page.goto(f"{desk}/login")
    _log_in(page, "member")
    page.goto(f"{desk}/")
    _screenshot(page, f"home-{scheme}")
    page.get_by_role("button", name="Log out").click()
    _log_in(page, "owner")
    page.goto(f"{desk}/console/")
    page.set_viewport_size({"width": SIZE["width"], "height": 1000})
    _screenshot(page, f"console-{scheme}")
    page.goto(f"{desk}/console/orgs/salesforceorg/")
    _screenshot(page, f"orgs-{scheme}")
    page.context.close()


def _log_in(page: Page, who: str) -> None:
    login = json.loads((DEMO / f"login-{who}.json").read_text())
    page.get_by_label("E-mail").fill(login["email"])
    page.get_by_label("Password").fill(login["password"])
    page.get_by_role("button", name="Log in").click()


def _screenshot(page: Page, name: str) -> None:
    page.wait_for_load_state()
    page.screenshot(path=HERE / f"{name}.png")


if __name__ == "__main__":
    main(*(sys.argv[1:] or ("http://localhost:8000",)))

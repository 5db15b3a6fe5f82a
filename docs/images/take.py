"""Takes the pictures in this folder from a running demo, in light and dark.

    python3 dev.py run                                       # in another terminal
    .venv/bin/python docs/images/take.py http://localhost:8000 http://localhost:8001

Needs what `python3 dev.py test` installs, and chromium.
"""

import json
import shutil
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
DEMO = HERE.parent.parent / ".demo"
SIZE = {"width": 1280, "height": 760}
CONTINUE = "/sfp/api/auth/continue?action=frontDoorUrl&params=targetOrg:dev2,repository:acme/app"
API = "/sfp/api/auth/salesforce"
DEAD = "devhub@acme.example.qa"
POOL = {"repository": "acme/app", "poolTag": "features", "assignmentId": "pull-request-7"}


def main(desk: str, emulator: str) -> None:
    """Put some life into the demo, and a death; then walk through its pages."""
    _live(desk)
    _die(desk, emulator, DEAD)
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            _take(browser, desk, scheme)
        browser.close()


def _live(desk: str) -> None:
    """Hand out some keys, so that lists and charts have something to show."""
    for number in range(7):
        _call(desk, "POST", f"{API}/default-devhub/access-token")
        _call(desk, "POST", f"{API}/access-token?username={('emea@acme.example', 'qa')[number % 2]}")
    _call(desk, "POST", f"{API}/sandbox/authenticate", {"sandboxName": "dev2"})
    _call(desk, "POST", "/sfp/api/pools/instances/fetch", POOL | {"assignedToUserEmail": "member@acme.example"})


def _die(desk: str, emulator: str, username: str) -> None:
    """End an org's key at Salesforce, as an administrator there may, and let the desk find out."""
    org = _call(desk, "GET", f"{API}/org?username={username}&authType=sfdxAuthUrl")
    _, _, rest = org["sfdxAuthUrl"].partition("://")
    secrets, _, host = rest.partition("@")
    form = urllib.parse.urlencode({"token": secrets.rpartition(":")[2]}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{emulator}/services/oauth2/revoke", form, {"Host": host})):  # noqa: S310 -- the demo's
        pass
    _call(desk, "POST", f"{API}/test-connection?username={username}")


def _call(desk: str, method: str, path: str, body: Any = None) -> Any:
    token = (DEMO / "application-token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(urllib.request.Request(desk + path, data, headers, method=method)) as answer:  # noqa: S310 -- our own desk
        return json.load(answer)


def _take(browser: Browser, desk: str, scheme: Any) -> None:
    page = browser.new_context(color_scheme=scheme, viewport=SIZE).new_page()  # type: ignore[arg-type]  # a plain dict
    page.goto(desk + CONTINUE)
    _picture(page, f"continue-{scheme}")
    page.goto(f"{desk}/login")
    _log_in(page, "member")
    page.goto(f"{desk}/")
    _picture(page, f"home-{scheme}")
    page.get_by_role("button", name="Sign out").click()
    _log_in(page, "owner")
    page.goto(f"{desk}/console/")
    page.set_viewport_size({**SIZE, "height": 1000})
    _picture(page, f"console-{scheme}")
    page.goto(f"{desk}/console/orgs/salesforceorg/")
    _picture(page, f"orgs-{scheme}")
    page.context.close()


def _log_in(page: Page, who: str) -> None:
    login = json.loads((DEMO / f"login-{who}.json").read_text())
    page.get_by_label("E-mail").fill(login["email"])
    page.get_by_label("Password").fill(login["password"])
    page.get_by_role("button", name="Log in").click()


def _picture(page: Page, name: str) -> None:
    page.wait_for_load_state()
    page.screenshot(path=HERE / f"{name}.png")


if __name__ == "__main__":
    main(*(sys.argv[1:] or ("http://localhost:8000", "http://localhost:8001")))

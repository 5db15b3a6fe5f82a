"""/sfp/api/docs in a real browser, without internet and under the strict Content-Security-Policy."""

import pytest

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_page_shows_every_operation(watched, live_server):
    watched.goto(f"{live_server.url}/sfp/api/docs")
    watched.wait_for_selector(".opblock")

    shown = watched.locator(".opblock-summary-path").all_inner_texts()

    assert len(shown) >= 14
    assert any("register" in path for path in shown)


def test_an_operation_can_be_tried_out(watched, live_server):
    watched.goto(f"{live_server.url}/sfp/api/docs")
    watched.locator("#operations-Authentication-AuthController_adminLogin").click()
    watched.wait_for_selector(".execute")

    assert watched.locator("#operations-Authentication-AuthController_adminLogin textarea").count() == 1


def test_the_policy_is_strict(watched, live_server):
    response = watched.goto(f"{live_server.url}/sfp/api/docs")

    policy = response.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert response.headers["x-frame-options"] == "DENY"

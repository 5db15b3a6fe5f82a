"""The published npm client, as it is, against a desk of its own: point 63, its second half."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.authn.servicestack.live import NAME, REFUSED, expired
from tests.authn.servicestack.node_client import NodeClient, need_node
from tests.support.live_server import PASSWORD

LOGIN = {"provider": "credentials", "userName": NAME, "password": PASSWORD}


@pytest.fixture(scope="module")
def node() -> str:
    return need_node()


@pytest.fixture(params=["JsonServiceClient", "JsonApiClient"])
def browserless(request: Any, node: str, url: str) -> Iterator[NodeClient]:
    """The npm client, in both of its shapes."""
    client = NodeClient(node, request.param, url)
    yield client
    client.close()


def test_point_63_node_logs_in_and_uses_its_session_again(browserless):
    login = browserless.order("post", **LOGIN, rememberMe=True, meta={"a": "b"})["answer"]

    assert (login["userName"], login["roles"]) == (NAME, ["owner"])
    assert browserless.order("get")["answer"]["userId"] == login["userId"]
    assert browserless.order("post")["answer"]["sessionId"] == login["sessionId"]


def test_point_63_node_sends_the_junk_it_makes_of_cookies_and_is_served(browserless):
    browserless.order("post", **LOGIN)

    assert any(" " in name for name in browserless.order("cookies")["answer"]), "point 55 in the wild"
    assert "answer" in browserless.order("get")


def test_point_63_node_uses_the_bearer(browserless):
    login = browserless.order("post", **LOGIN)["answer"]
    browserless.order("cookies", **{"ss-id": "", "ss-pid": "", "ss-tok": ""})
    browserless.order("set", bearerToken=login["bearerToken"])

    assert browserless.order("get")["answer"]["userId"] == login["userId"]


def test_point_63_node_refreshes_twice_in_a_row_with_an_expired_bearer(browserless, desk):
    login = browserless.order("post", **LOGIN)["answer"]
    old = expired(desk, login["bearerToken"])
    browserless.order("set", refreshToken=login["refreshToken"], enableAutoRefreshToken=True)

    for _ in range(2):
        browserless.order("set", bearerToken=old)
        told = browserless.order("get")
        assert told["answer"]["userId"] == login["userId"]
        assert told["bearerToken"] not in (old, login["bearerToken"])


def test_point_63_node_refreshes_by_its_cookie(browserless, desk):
    login = browserless.order("post", **LOGIN, useTokenCookie=True)["answer"]
    browserless.order("set", enableAutoRefreshToken=True)
    old = expired(desk, login["bearerToken"])

    for _ in range(2):
        browserless.order("cookies", **{"ss-tok": old})
        assert browserless.order("get")["answer"]["userId"] == login["userId"]
        assert browserless.order("cookies")["answer"]["ss-tok"] not in (old, login["bearerToken"])


@pytest.mark.parametrize("cookie", [False, True])
def test_point_63_node_logs_out(cookie, browserless):
    browserless.order("post", **LOGIN, useTokenCookie=cookie)
    assert browserless.order("post", provider="logout")["answer"] == {"responseStatus": {}}

    kept = browserless.order("cookies")["answer"]
    assert kept["ss-tok"] == ""
    assert kept.get("ss-reftok", "") == ""
    told = browserless.order("get")
    # JsonServiceClient asks for a new token after each 401 once it has lived in cookies, also when it
    # holds none any more, and reports what came of that.
    asks_again = cookie and browserless.kind == "JsonServiceClient"
    assert told["error"]["errorCode"] == ("ArgumentNullException" if asks_again else "Unauthorized")
    assert told["type"] == ("RefreshTokenException" if asks_again else None)


def test_point_63_node_is_told_of_a_wrong_password(browserless):
    told = browserless.order("post", **LOGIN | {"password": "wrong"})

    assert (told["error"]["errorCode"], told["error"]["message"]) == REFUSED

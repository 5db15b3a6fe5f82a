"""The documented sample request as printed, with its tabs and line breaks, and real values."""

from pathlib import Path

import pytest

from authn.servicestack.dtos import Authenticate
from authn.servicestack.formats import jsv
from tests.authn.servicestack.wire import NAME

pytestmark = pytest.mark.django_db
SAMPLE = (Path(__file__).parent / "sample_request.jsv").read_text()


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_the_sample_logs_in(line_break, wire):
    body = SAMPLE.replace("\n", line_break)

    response = wire.post("/auth", body, type_="text/jsv", accept="text/jsv")

    assert (response.status, response.headers["Content-Type"]) == (200, "text/jsv")
    assert response.jsv().user_name == NAME
    assert response.jsv().referrer_url == "/home"
    assert wire.who() == 200


def test_the_sample_with_placeholders_left_in_it_logs_in(wire):
    lines = [
        line if any(name in line for name in ("provider", "userName", "password", "False")) or ":" not in line
        else f"{line.partition(':')[0]}: String,"
        for line in SAMPLE.replace("team: core", "String: String").splitlines()
        if "meta" not in line
    ]  # fmt: skip
    body = "\n".join(lines).replace("String: String,", "String: String").replace("\t{", "\tmeta: \n\t{")

    response = wire.post("/auth", body, type_="text/jsv", accept="text/jsv")

    assert response.status == 200, response


def test_every_member_is_read_without_the_white_space_around_it():
    message = jsv.read(SAMPLE, Authenticate)

    assert message.meta == {"team": "core"}
    assert (message.state, message.nc, message.scope) == ("s-1", "00000001", "api")
    assert (message.remember_me, message.use_token_cookie) == (False, False)

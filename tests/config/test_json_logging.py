"""One JSON object per line, without exception texts and raw paths."""

import json
import logging
import sys

from authn.web.request_id import give_request_id
from config.json_logging import JSONLineFormatter


def _line(message, *args, exc_info=None, **extra):
    record = logging.LogRecord("frontdesk", logging.INFO, __file__, 1, message, args, exc_info)
    vars(record).update(extra)
    return JSONLineFormatter().format(record)


def test_a_value_cannot_forge_a_second_line():
    line = _line("Refused %s", 'x\n{"level": "INFO"}\u2028')

    assert "\n" not in line
    assert "\u2028" not in line
    assert json.loads(line)["message"].startswith("Refused x")


def test_a_traceback_contains_locations_and_no_text():
    try:
        raise ValueError("canary")
    except ValueError:
        line = _line("It broke.", exc_info=sys.exc_info())

    content = json.loads(line)
    assert content["exception"] == "ValueError"
    assert "test_json_logging.py" in content["where"][-1]
    assert "canary" not in line


def test_a_line_about_a_request_shows_the_route(rf):
    request = rf.get("/sfp/api/application-tokens/fdt_secret?x=secret")
    give_request_id(request, "abc")

    content = json.loads(_line("Not Found: %s", request.path, request=request, status_code=404))

    assert content["message"] == "404 GET an unknown path"
    assert content["requestId"] == "abc"

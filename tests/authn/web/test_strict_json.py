"""Strict JSON: the rules, their cost, and the fast reader's agreement with them."""

import json
import math
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from authn.web.strict_json import NotStrictJSON, is_storable, read_json

TOO_DEEP = "The JSON is nested deeper than 32 levels."
TWICE = "The JSON has a duplicate key in one object."
OUT_OF_RANGE = "The JSON has a number out of range."
UNSTORABLE = "The JSON has a NUL or half a surrogate pair in a string."


# --- Reference implementation, one character at a time ------------------------


def slow_read(text: str) -> Any:
    """Read by the rules, without optimization."""
    text = text.removeprefix("\ufeff")
    if _depth(text) > 32:
        raise NotStrictJSON(TOO_DEEP)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_without_duplicates,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_short,
        )
    except NotStrictJSON:
        raise
    except json.JSONDecodeError as error:
        before = text[: error.pos].split("\n")
        place = f"line {len(before)}, column {len(before[-1]) + 1}"
        raise NotStrictJSON(f"This is not valid JSON: {place}.") from error
    _refuse_unstorable(value)
    return value


def _depth(text: str) -> int:
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise NotStrictJSON(TWICE)
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise NotStrictJSON(f"The JSON has {name}, which is not JSON.")


def _finite(digits: str) -> float:
    if not math.isfinite(float(digits)):
        raise NotStrictJSON(OUT_OF_RANGE)
    return float(digits)


def _short(digits: str) -> int:
    if len(digits) > 400:
        raise NotStrictJSON(OUT_OF_RANGE)
    return int(digits)


def _refuse_unstorable(value: Any) -> None:
    if isinstance(value, str) and any(each == "\x00" or "\ud800" <= each <= "\udfff" for each in value):
        raise NotStrictJSON(UNSTORABLE)
    for part in [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []:
        _refuse_unstorable(part)


def outcome(read: Callable[[Any], Any], text: Any) -> str:
    """Return what reading ends in, as a text that shows 1, 1.0, True and -0.0 apart."""
    try:
        return repr(read(text))
    except NotStrictJSON:
        return "refused"


# --- Both agree --------------------------------------------------------------------------------------

texts = st.text(st.characters() | st.sampled_from('\x00\ud800\udfff:,[]{}"\\é日😀eE1'), max_size=12)
numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([10**399, 10**400, -(10**398), -(10**399), 10**4000, 1e308, -1e308]),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda parts: st.one_of(st.lists(parts, max_size=5), st.dictionaries(texts, parts, max_size=5)),
    max_leaves=30,
)
PIECES = [
    *'[]{},:" \t\n\\',
    *('"a"', '"a":', '":', '" :"', '"\\u003a"', '"\\u003A":', '"\\u0061":', "\\u0000", "\\ud800", "\\uDC00", "\\\\"),
    *(
        "true",
        "false",
        "null",
        "NaN",
        "-Infinity",
        "Infinity",
        "0",
        "-0",
        "1",
        "-1.5",
        "1e5",
        "1E400",
        "-1e400",
        "1e-400",
    ),
    *("9" * 400, "-" + "9" * 400, "9" * 401, "9" * 5000, "0." + "9" * 500, "9" * 310 + ".5", "é", "\x00", "\ud83d"),
    *("[" * 31, "]" * 31, '{"a":' * 30, "}" * 30, "[" * 1000, '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '[":",":"]'),
]


@settings(max_examples=300)
@given(values, st.booleans(), st.sampled_from([None, 1, "\t"]), st.integers(0, 34))
@example({"a": ":"}, True, None, 0)
@example({}, True, None, 32)
def test_a_value_that_is_written_as_json_is_read_as_by_the_slow_rules(value, ascii_only, indent, wraps):
    text = "[" * wraps + json.dumps(value, ensure_ascii=ascii_only, indent=indent) + "]" * wraps

    assert outcome(read_json, text) == outcome(slow_read, text)


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@example("")
@example('{"a":1,"a":":"}')
@example('{"a" :1,"b":2,"a":":"}')
@example("[1,]")
@example("\ufeff1")
def test_a_text_of_any_pieces_is_read_as_by_the_slow_rules(text):
    assert outcome(read_json, text) == outcome(slow_read, text)


@settings(max_examples=100)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join), st.sampled_from(["list", "object"]))
@example("1e400", "list")
@example("9" * 401, "list")
@example("9" * 401, "object")
@example('{"a":1,"a":2}', "object")
@example('{"a":1,"\\u0061":":"}', "object")
@example('{"a":[1,2],"a" :":"}', "list")
@example("[" * 32 + "]" * 32, "list")
@example('"\\ud800"', "object")
def test_a_large_text_that_holds_a_piece_is_read_as_by_the_slow_rules(piece, around):
    many = range(300)
    if around == "list":
        text = f"[{','.join(map(str, many))},{piece},{','.join(map(str, many))}]"
    else:
        objects = ",".join(f'{{"id":{n},"url":"https://a/{n}"}}' for n in many)
        text = f"[{objects},{piece}]"

    assert outcome(read_json, text) == outcome(slow_read, text)


@given(
    st.one_of(
        st.binary(max_size=30),
        st.lists(st.sampled_from(PIECES), max_size=6).map(
            lambda parts: "".join(parts).encode("utf-8", "surrogatepass")
        ),
    )
)
def test_bytes_are_read_as_their_text(content):
    def slow(content: bytes) -> Any:
        try:
            return slow_read(content.decode())
        except UnicodeDecodeError as error:
            raise NotStrictJSON from error

    assert outcome(read_json, content) == outcome(slow, content)


@given(texts)
def test_a_text_is_storable_without_nul_and_half_a_surrogate_pair(text):
    assert is_storable(text) is not any(each == "\x00" or "\ud800" <= each <= "\udfff" for each in text)


# --- Each refusal says what is wrong -----------------------------------------------------------------

DEEP = {
    "lists": "[" * 33 + "]" * 33,
    "objects": '{"a":' * 33 + "1" + "}" * 33,
    "5,000 lists": "[" * 5000 + "]" * 5000,
    "5,000 objects": '{"a":' * 5000 + "1" + "}" * 5000,
    "a megabyte of lists": "[" * 500_000 + "]" * 500_000,
    "a megabyte of objects": '{"a":' * 200_000,
    "lists beside brackets in strings": '["[]]]}}}",' * 33 + "1" + "]" * 33,
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_deep_nesting_is_refused_by_its_name(text):
    with pytest.raises(NotStrictJSON, match=TOO_DEEP):
        read_json(text)


@pytest.mark.parametrize("text", ["[" * 32 + "]" * 32, '{"a":' * 32 + "1" + "}" * 32, json.dumps("[" * 1000)])
def test_32_levels_and_any_bracket_in_a_string_are_read(text):
    assert read_json(text) == json.loads(text)


MESSAGES = {
    "no JSON": ("a", "This is not valid JSON: line 1, column 1."),
    "a megabyte of open brackets in a string": ('"' + "[" * 1_000_000, "This is not valid JSON: line 1, column 1."),
    "a key twice": ('{"a":1,"a":1}', TWICE),
    "a key twice, once escaped": ('{"a":1,"\\u0061":1}', TWICE),
    "a key twice among 2,000": (json.dumps({f"k{n}": n for n in range(2000)})[:-1] + ',"k7":7}', TWICE),
    "NaN": ("[NaN]", "The JSON has NaN, which is not JSON."),
    "-Infinity": ("-Infinity", "The JSON has -Infinity, which is not JSON."),
    "1e400": ('{"a":[1e400]}', OUT_OF_RANGE),
    "401 digits": ("1" * 401, OUT_OF_RANGE),
    "5,000 digits": ("1" * 5000, OUT_OF_RANGE),
    "a float of 400 digits": ("1" * 400 + ".5", OUT_OF_RANGE),
    "NUL": ('"\\u0000"', UNSTORABLE),
    "NUL in a key": ('{"a\\u0000":1}', UNSTORABLE),
    "half a pair": ('["\\ud83d"]', UNSTORABLE),
    "the other half": ('["\\udE00\\ud83d"]', UNSTORABLE),
    "half a pair, raw": ('"\ud83d"', "The JSON has half a surrogate pair."),
    "no UTF-8": (b'"\xff"', "This is not UTF-8: byte 2."),
}


@pytest.mark.parametrize(("text", "message"), MESSAGES.values(), ids=MESSAGES)
def test_a_refusal_says_what_is_wrong(text, message):
    with pytest.raises(NotStrictJSON) as refusal:
        read_json(text)

    assert str(refusal.value) == message


def test_a_surrogate_pair_and_an_escaped_backslash_are_accepted():
    assert read_json('["\\ud83d\\ude00", "\\\\u0000", "\\\\ud800"]') == ["😀", "\\u0000", "\\ud800"]


# --- What it costs -----------------------------------------------------------------------------------

LARGE = {
    "a string": json.dumps("a" * 1_000_000),
    "a string of brackets": json.dumps("[{]}" * 250_000),
    "a string of backslashes": json.dumps("\\" * 500_000),
    "numbers": json.dumps(list(range(120_000))),
    "objects": json.dumps([{"id": number, "name": f"n{number}", "ok": True} for number in range(25_000)]),
}


def _milliseconds(read: Callable[[str], Any], text: str) -> float:
    best = math.inf
    for _ in range(3):
        began = time.thread_time()
        read(text)
        best = min(best, time.thread_time() - began)
    return 1000 * best


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_a_megabyte_takes_a_small_multiple_of_the_time_of_the_standard_reader(text):
    """bench/strict_json.py measures exactly; a loop over characters takes 10 to 130 times as long."""
    assert _milliseconds(read_json, text) < 4 * _milliseconds(json.loads, text) + 1

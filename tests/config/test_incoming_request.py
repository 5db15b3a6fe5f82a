"""The end of a request is found at its last byte, in any packets, as gunicorn's parser finds it."""

import pytest
from gunicorn.config import Config
from gunicorn.http import get_parser
from hypothesis import given, settings
from hypothesis import strategies as st

from config.incoming_request import MAX_BODY, MAX_HEAD, IncomingRequest

HEAD = b"POST /a HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = {
    "no body": HEAD + b"\r\n",
    "no field": b"GET / HTTP/1.0\r\n\r\n",
    "a length": HEAD + b"Content-Length: 5\r\n\r\nabcde",
    "a length of none": HEAD + b"Content-Length: 0\r\n\r\n",
    "a length in other words": HEAD + b"CONTENT-length:\t 5 \r\n\r\na\r\n\r\n",
    "the largest length": HEAD + b"Content-Length: %d\r\n\r\n" % MAX_BODY + b"x" * MAX_BODY,
    "no chunk": CHUNKED + b"0\r\n\r\n",
    "a chunk": CHUNKED + b"3\r\nabc\r\n0\r\n\r\n",
    "chunks": CHUNKED + b"3\r\nabc\r\nA\r\n0\r\n\r\n12345\r\n0\r\n\r\n",
    "an extension": CHUNKED + b"3;a=b\r\nabc\r\n0;c\r\n\r\n",
    "trailers": CHUNKED + b"3\r\nabc\r\n0\r\nX-A: b\r\nX-C: d\r\n\r\n",
    "leading zeros": CHUNKED + b"0003\r\nabc\r\n000\r\n\r\n",
    "the largest chunks": CHUNKED + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 2 + b"0\r\n\r\n",
}


def parse(data: bytes) -> tuple[str, bytes, dict[str, str]]:
    """Return method, body and headers as gunicorn reads them from data that no byte comes after."""
    request = next(get_parser(Config(), iter([data]), ("127.0.0.1", 1)))
    return request.method, request.body.read(), dict(request.headers)


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_a_request_is_ready_at_its_last_byte(data):
    before, at_once = IncomingRequest(data[:-1]), IncomingRequest(data)

    assert (before.is_ready, before.refusal) == (False, None)
    before.feed(data[-1:])
    for request in (before, at_once):
        assert (request.is_ready, request.is_complete, request.refusal) == (True, True, None)
        assert request.take() == data
    assert parse(data)


@settings(max_examples=60)
@given(st.sampled_from([data for data in WHOLE.values() if len(data) < 1000]), st.data())
def test_a_request_may_be_cut_anywhere(sent, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=12)))
    request = IncomingRequest()

    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        request.feed(sent[start:end])

    assert (request.is_ready, request.is_complete, request.take()) == (True, True, sent)


@settings(max_examples=100)
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.binary(max_size=30))
def test_the_end_is_where_the_parser_finds_it(parts, behind):
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    whole = CHUNKED + chunks

    request = IncomingRequest(whole + behind)

    assert (request.is_ready, request.take()) == (True, whole + behind)
    assert not IncomingRequest(whole[:-1]).is_ready
    assert parse(whole)[1] == b"".join(parts)


@pytest.mark.parametrize("empty", [b"\r\n", b"\r\n\r\n", b"\r\n" * 5])
def test_empty_lines_before_a_request_are_ignored(empty):
    assert not IncomingRequest(empty).is_ready
    assert IncomingRequest(empty + WHOLE["a length"]).take() == WHOLE["a length"]


LARGE = {
    "a length": HEAD + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1),
    "an absurd length": HEAD + b"Content-Length: 999999999999\r\n\r\n",
    "a large chunk": CHUNKED + b"%x\r\n" % (2 * MAX_BODY) + b"x" * (MAX_BODY + 1),
    "large chunks": CHUNKED + b"".join(b"8000\r\n" + b"x" * 0x8000 + b"\r\n" for _ in range(2)) + b"1\r\nx",
}


@pytest.mark.parametrize("data", LARGE.values(), ids=LARGE)
def test_a_request_with_a_large_body_is_ready_before_it_is_complete(data):
    assert not IncomingRequest(data[:-1]).is_ready
    request = IncomingRequest(data)

    assert (request.is_ready, request.is_complete, request.refusal) == (True, False, None)
    assert request.take() == data


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 1\r\nContent-Length: 1\r\n",
        b"Content-Length: a\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 1234567890123\r\n",
        b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ],
)
def test_a_request_of_unclear_length_goes_to_the_parser_at_once(fields):
    request = IncomingRequest(HEAD + fields + b"\r\n")

    assert (request.is_ready, request.is_complete) == (True, False)


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"GET /" + b"a" * MAX_HEAD, 431),
        (CHUNKED + b"g\r\n", 400),
        (CHUNKED + b"\r\n", 400),
        (CHUNKED + b"-1\r\n", 400),
        (CHUNKED + b"1" * 13 + b"\r\n", 400),
        (CHUNKED + b"3\r\nabcde", 400),
        (CHUNKED + b"3" + b" " * 2000, 400),
        (CHUNKED + b"0\r\n" + b"a: b\r\n" * 50_000, 413),
    ],
)
def test_an_invalid_request_is_refused(data, refusal):
    assert (IncomingRequest(data).is_ready, IncomingRequest(data).refusal) == (False, refusal)


EXPECTING = HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"


def test_100_continue_is_sent_once_and_the_expectation_removed():
    request = IncomingRequest(EXPECTING)

    assert [request.wants_continue(), request.wants_continue()] == [True, False]
    request.feed(b"abc")
    assert parse(request.take()) == ("POST", b"abc", {"HOST": "localhost", "CONTENT-LENGTH": "3"})


@pytest.mark.parametrize(
    "data",
    [EXPECTING + b"abc", EXPECTING.replace(b"HTTP/1.1", b"HTTP/1.0"), EXPECTING.replace(b"100-continue", b"200-ok")],
    ids=["all is here", "an older version", "another expectation"],
)
def test_a_client_that_does_not_wait_for_100_continue_gets_none(data):
    assert not IncomingRequest(data).wants_continue()


def test_another_expectation_is_left_to_the_parser():
    assert b"Expect: 200-ok" in IncomingRequest(EXPECTING.replace(b"100-continue", b"200-ok") + b"abc").take()

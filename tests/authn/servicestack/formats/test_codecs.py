"""JSON, XML and CSV read back what they write, and read or refuse any text. JSV has its own file."""

from contextlib import suppress
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authn.servicestack.dtos import Authenticate, AuthenticateResponse, ResponseError, ResponseStatus
from authn.servicestack.errors import Unreadable
from authn.servicestack.formats import CSV, JSON, XML, csv, json, xml

# Characters that XML allows: neither control characters nor lone surrogates.
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from("\r\n\t")
)
truths = st.none() | st.booleans()


def _messages(text: st.SearchStrategy[str]) -> st.SearchStrategy[Authenticate]:
    return st.builds(
        Authenticate,
        provider=st.none() | text,
        user_name=st.none() | text,
        password=st.none() | text,
        remember_me=truths,
        continue_to=st.none() | text,
        use_token_cookie=truths,
        meta=st.none() | st.dictionaries(text, text, max_size=4),
    )


@given(_messages(texts))
def test_json_is_read_back(message):
    assert json.read(json.write(message), Authenticate) == message


@given(_messages(texts))
def test_xml_is_read_back(message):
    assert xml.read(xml.write(message), Authenticate) == message


@given(_messages(texts.filter(lambda text: text and not text.startswith(("=", "+", "-", "@", "\t", "\r")))))
def test_csv_is_read_back(message):
    if message != Authenticate():
        assert csv.read(csv.write(message), Authenticate) == message


@pytest.mark.parametrize("format_", [JSON, XML, CSV], ids=lambda format_: format_.name)
@given(text=st.text(max_size=200) | st.text(st.sampled_from('{}[]<>/:,"ab \r\n'), max_size=200))
def test_any_text_is_read_or_refused(format_, text):
    with suppress(Unreadable):
        assert isinstance(format_.read(text, Authenticate), Authenticate)


@given(st.text())
def test_any_response_can_be_written_and_its_xml_is_well_formed(text):
    message = AuthenticateResponse(
        user_name=text,
        roles=[text],
        meta={text: text},
        response_status=ResponseStatus(message=text, errors=[ResponseError(message=text, meta={text: text})]),
    )

    for format_ in (JSON, XML, CSV):
        assert format_.write(message)
    assert ElementTree.fromstring(XML.write(message)).tag.endswith("}AuthenticateResponse")  # noqa: S314  # our own


def test_a_response_has_no_stack_trace():
    assert "stackTrace" not in json.write(AuthenticateResponse(response_status=ResponseStatus(error_code="x")))


@pytest.mark.parametrize(
    "text",
    [
        '{"UserName":"a","username":"b"}',
        '{"password":"a","Password":null}',
        '{"provider":"a"," PROVIDER ":"a"}',
        '{"UserName":"a","UserName":"a"}',
        '{"x":1,"x":2}',
    ],
)
def test_json_with_a_member_twice_in_any_case_is_refused(text):
    with pytest.raises(Unreadable, match="duplicate key"):
        json.read(text, Authenticate)


def test_the_keys_of_a_map_and_unknown_names_may_differ_in_case():
    message = json.read('{"Meta":{"a":"1","A":"2"},"x":1,"X":2}', Authenticate)

    assert message.meta == {"a": "1", "A": "2"}

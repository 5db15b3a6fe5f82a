"""JSV: the documented examples in both directions, generated values, and hostile texts."""

import decimal
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authn.servicestack.dtos import Authenticate, AuthenticateResponse, members
from authn.servicestack.errors import Unreadable
from authn.servicestack.formats.jsv import decode, encode, read, write


class Letter(Enum):
    A = 1
    B = 2


@dataclass
class P:
    """The class of the examples."""

    Name: str | None = None
    Age: int = 0
    Flag: bool | None = None
    Tags: "list[str | None] | None" = None
    Meta: dict[str, str] | None = None
    Child: "P | None" = None
    Kids: "list[P] | None" = None


@dataclass
class Numbers:
    Float: float | None = None
    Double: float | None = None
    Decimal: decimal.Decimal | None = None
    Value: Letter | None = None


THE_FOUR = {"One": '"1st', "Two": "2:nd", "Three": "3r,d", "Four": "four%"}
WRITTEN = {
    "E1": (P(Name="abc"), "{Name:abc,Age:0}"),
    "E2": (P(Name=""), '{Name:"",Age:0}'),
    "E3": (P(Name="a,b"), '{Name:"a,b",Age:0}'),
    "E4": (P(Name='a"b'), '{Name:"a""b",Age:0}'),
    "E5": (P(Name="x]"), '{Name:"x]",Age:0}'),
    "E6": (P(Name="null"), "{Name:null,Age:0}"),
    "E7": (P(Name=" a"), "{Name: a,Age:0}"),
    "E8": (P(), "{Age:0}"),
    "E9": (P(Age=7, Flag=True), "{Age:7,Flag:True}"),
    "E10": (P(Flag=False), "{Age:0,Flag:False}"),
    "E11": (["a", "b,c", "", 'd"e', None, "f"], '[a,"b,c","","d""e",,f]'),
    "E12 list": ([], "[]"),
    "E12 map": ({}, "{}"),
    "E13": ([["a", "b"], [], ["c,d"]], '[[a,b],[],["c,d"]]'),
    "E14": (
        {"a": "1", "b": "x,y", "c:d": "e", "f": "", "g": None, "": "emptykey"},
        '{a:1,b:"x,y","c:d":e,f:"","":emptykey}',
    ),
    "E15": (
        P(Name="n", Tags=["a", "b,c", ""], Meta={"k": "v", "k2": "{v}"}, Child=P(Name="c")),
        '{Name:n,Age:0,Tags:[a,"b,c",""],Meta:{k:v,k2:"{v}"},Child:{Name:c,Age:0}}',
    ),
    "E16": (
        P(Kids=[P(Name="k1"), P(Name="k2", Tags=["t"])]),
        "{Age:0,Kids:[{Name:k1,Age:0},{Name:k2,Age:0,Tags:[t]}]}",
    ),
    "E17": (P(Tags=[], Meta={}), "{Age:0,Tags:[],Meta:{}}"),
    "E18": ("https://url.com", '"https://url.com"'),
    "E19": (Numbers(1.1, 2.2, decimal.Decimal("3.3")), "{Float:1.1,Double:2.2,Decimal:3.3}"),
    "E20": (THE_FOUR, '{One:"""1st",Two:"2:nd",Three:"3r,d",Four:four%}'),
    "E21": (list(THE_FOUR.values()), '["""1st","2:nd","3r,d",four%]'),
    "E22": ([[1, 0], [0, 1]], "[[1,0],[0,1]]"),
    "E23": ({"Obj": {"Key": "Value"}}, "{Obj:{Key:Value}}"),
    "E24 day": (datetime(2001, 1, 1, tzinfo=UTC), "2001-01-01"),
    "E24 second": (datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC), "2001-02-03T04:05:06Z"),
    "E24 millisecond": (datetime(2001, 2, 3, 4, 5, 6, 7000, tzinfo=UTC), "2001-02-03T04:05:06.007Z"),
    "E25": (UUID("4583B364-BBDC-427F-A289-C2923DEBD547"), "4583b364bbdc427fa289c2923debd547"),
    "E26": (
        Authenticate(provider="credentials", user_name="u", password="p", remember_me=True, meta={"a": "b,c"}),
        '{provider:credentials,UserName:u,Password:p,RememberMe:True,Meta:{a:"b,c"}}',
    ),
    "E27 tab": ("tab\tx", "tab\tx"),
    "E27 apostrophe": ("it's", "it's"),
    "E27 backslash": ("back\\slash", "back\\slash"),
    "E27 not ASCII": ("ü€", "ü€"),
    "E28 LF": ("a\nb", '"a\nb"'),
    "E28 CR": ("a\rb", '"a\rb"'),
}
READ = {
    "D1": ("{name:abc,AGE:7,flag:True}", P(Name="abc", Age=7, Flag=True)),
    "D2 true": ("{Flag:true}", P(Flag=True)),
    "D2 1": ("{Flag:1}", P(Flag=True)),
    "D2 on": ("{Flag:on}", P(Flag=True)),
    "D3 0": ("{Flag:0}", P(Flag=False)),
    "D3 False": ("{Flag:False}", P(Flag=False)),
    "D3 y": ("{Flag:y}", P(Flag=True)),
    "D4 nothing": ("{Flag:}", P()),
    "D4 null": ("{Flag:null}", P()),
    "D4 yes": ("{Flag:yes}", P()),
    "D5": ("{Name:}", P()),
    "D6": ("{Name:null}", P(Name="null")),
    "D7": ('{Name:""}', P(Name="")),
    "D8": ('{Name:"a,b"}', P(Name="a,b")),
    "D9": ('{Name:"a""b"}', P(Name='a"b')),
    "D10": ('{Name:a"b}', P(Name='a"b')),
    "D11": ("{Name: abc }", P(Name=" abc ")),
    "D12": ("{ Name:abc, Age:7}", P(Name="abc", Age=7)),
    "D13": ("{Name:a:b}", P(Name="a:b")),
    "D14": ("{Name:a]b}", P(Name="a]b")),
    "D16": ('{Unknown:{a:[1,2],b:"}"},Name:y}', P(Name="y")),
    "D18": ("{}", P()),
    "D20": ('{Tags:["a,b",c,""]}', P(Tags=["a,b", "c", ""])),
    "D21 empty": ("{Tags:[]}", P(Tags=[])),
    "D21 nothing": ("{Tags:}", P()),
    "D22": ("{Tags:[a, b ]}", P(Tags=["a", " b "])),
    "D23": ("{Tags:[a,,b]}", P(Tags=["a", None, "b"])),
    "D24": ('{Meta:{a:1,b:"x,y"}}', P(Meta={"a": "1", "b": "x,y"})),
    "D25": ('{Meta:{"a:b":c}}', P(Meta={"a:b": "c"})),
    "D26": ("{Child:{Name:c,Tags:[x]},Age:1}", P(Age=1, Child=P(Name="c", Tags=["x"]))),
    "D27": ("{Kids:[{Name:a},{Name:b,Tags:[t,u]}]}", P(Kids=[P(Name="a"), P(Name="b", Tags=["t", "u"])])),
    "D28": ("{Name:a,Name:b}", P(Name="b")),
    "D29 a letter": ("{Age:x}", P()),
    "D29 nothing": ("{Age:}", P()),
    "D30, leniently": ('{"Name":"q"}', P(Name="q")),
    "a list without brackets": ("{Tags:a,Name:n}", P(Tags=["a"], Name="n")),
}
READ_AS = {
    "D18 empty": ("", P, None),
    "D31": ("{a:{x:1},b:[1,2]}", dict[str, str], {"a": "{x:1}", "b": "[1,2]"}),
    "D32": ("{a:,b:2}", dict[str, str], {"b": "2"}),
    "D33": ("{a:null}", dict[str, str], {"a": "null"}),
    "D34": ('["a""b",c]', list[str], ['a"b', "c"]),
    "D35": ("[{x:1},[y,z]]", list[str], ["{x:1}", "[y,z]"]),
    "D36": ("[[a,b],[],[c]]", list[list[str]], [["a", "b"], [], ["c"]]),
    "D37": (
        '{One:"""1st",Two:2:nd,Three:"3r,d"}',
        dict[str, str],
        {"One": '"1st', "Two": "2:nd", "Three": "3r,d"},
    ),
    "D38": ('["""1st",2:nd,"3r,d",four%]', list[str], list(THE_FOUR.values())),
    "D39": ('{Float:"1,111.1"}', Numbers, Numbers(Float=1111.1)),
    "D40": ("{vALUE:B}", Numbers, Numbers(Value=Letter.B)),
    "D41": ("{UserName:u,Password:p}", Authenticate, Authenticate(user_name="u", password="p")),
}
REFUSED = {
    "D15 stray brace": "{Name:a}b}",
    "D15 trailing comma": "{Name:x,}",
    "D17, strictly": "{Name:x",
    "D19 no braces": "Name:x",
    "D19 list": "[{Name:a}]",
    "D19 null": "null",
    "D42": '{Name:"x',
    "a quote that ends too early": '{Name:"x"y}',
    "an open list": "{Tags:[a",
    "an open map": "{Meta:{a:b",
    "a comma for a colon": "{Name,x}",
    "no name": "{:x}",
    "half a name": "{Nam",
    "two values": "{Name:a}{Name:b}",
    "a text for a map": "{Meta:x}",
    "a text for an object": "{Child:x}",
}


def _cases(vectors):
    return [pytest.param(*vector, id=name) for name, vector in vectors.items()]


@pytest.mark.parametrize(("value", "text"), _cases(WRITTEN))
def test_a_vector_is_written(value, text):
    assert encode(value) == text


@pytest.mark.parametrize(("text", "value"), _cases(READ))
def test_a_vector_is_read(text, value):
    assert decode(text, P) == value


@pytest.mark.parametrize(("text", "kind", "value"), _cases(READ_AS))
def test_a_vector_is_read_as_a_type(text, kind, value):
    assert decode(text, kind) == value


def test_the_vector_of_a_password_is_written_in_camel_case():
    assert 'password:"p,""w"' in write(Authenticate(user_name="u", password='p,"w')), "E29"


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_a_broken_text_is_refused(text):
    with pytest.raises(Unreadable):
        decode(text, P)


def test_what_is_pasted_in_lines_loses_the_white_space_around_its_values():
    text = '{\n\tName: a b ,\r\n\tMeta: \n\t{\n\t\tk: " v "\n\t},\n\tTags: \n\t[\n\t\tx,\n\t\ty\n\t]\n}\n'

    assert decode(text, P) == P(Name="a b", Meta={"k": " v "}, Tags=["x", "y"])


def test_a_repr_shows_no_secret():
    message = read("{UserName:u,Password:geheim,AccessToken:geheim,RefreshToken:x}", Authenticate)

    assert "geheim" not in repr(message)


# --- Generated values ----------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
maps = st.dictionaries(texts, texts, max_size=5)
# JSV writes a list of one null as an empty list.
lists = st.lists(st.none() | texts, max_size=5).filter(lambda items: items != [None])
children = st.builds(
    P,
    Name=st.none() | texts,
    Age=st.integers(-(10**17), 10**17),
    Flag=st.none() | st.booleans(),
    Tags=st.none() | lists,
)
values = st.builds(
    P,
    Name=st.none() | texts,
    Tags=st.none() | lists,
    Meta=st.none() | maps,
    Child=st.none() | children,
    Kids=st.none() | st.lists(children, max_size=3),
)


@given(values)
def test_what_is_written_is_read_back(value):
    assert decode(encode(value), P) == value


@given(st.lists(st.lists(texts, max_size=4), max_size=4))
def test_lists_of_lists_are_read_back(value):
    assert decode(encode(value), list[list[str]]) == value


@given(st.builds(AuthenticateResponse, user_id=texts, display_name=texts, roles=st.lists(texts), meta=maps))
def test_responses_are_read_back(value):
    assert decode(write(value), AuthenticateResponse) == value


@given(st.text(st.sampled_from('{}[]:,"ab \n\tName')) | texts)
def test_any_text_is_read_or_refused(text):
    with suppress(Unreadable):
        assert isinstance(decode(text, P), P | None)


# --- Hostile texts ------------------------------------------------------------------------------------

HOSTILE = {
    "10,000 objects": "{Child:" * 10_000,
    "10,000 closed objects": "{Child:" * 10_000 + "}" * 10_000,
    "10,000 lists": "{Tags:" + "[" * 10_000,
    "10,000 unknown lists": "{x:" + "[" * 10_000 + "]" * 10_000 + "}",
    "10,000 unclosed quotes": "{Name:" + '"a' * 10_000 + "}",
    "a quote in each of 10,000 members": "{" + 'a:"b,' * 10_000 + "}",
    "one quote before a million letters": '{Name:"' + "a" * 1_000_000,
    "doubled quotes": '{Name:"' + '""' * 500_000,
    "100,000 keys": "{" + ",".join(f"k{number}:v" for number in range(100_000)) + "}",
    "100,000 keys of a map": "{Meta:{" + ",".join(f"k{number}:v" for number in range(100_000)) + "}}",
    "100,000 items": "{Tags:[" + "a," * 100_000 + "]}",
    "a million commas": "{" + "," * 1_000_000,
    "a million colons": "{" + ":" * 1_000_000,
    "a million blanks": "{" + " " * 1_000_000,
    "a million line breaks": "{" + "\n" * 1_000_000,
    "names without colons": "{" + "a" * 1_000_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_refused_quickly(text):
    began = time.process_time()

    with pytest.raises(Unreadable):
        decode(text, P)

    assert time.process_time() - began < 2, "each takes a few milliseconds"


def test_a_member_without_a_wire_name_uses_its_own():
    assert [each.name for each in members(P)][:3] == ["Name", "Age", "Flag"]

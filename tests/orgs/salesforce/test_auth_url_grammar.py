"""The grammar of auth URLs against generated values, and against that of the Salesforce CLI."""

import re
from urllib.parse import urlsplit

from hypothesis import example, given, settings
from hypothesis import strategies as st

from orgs.salesforce import AuthUrl, HostPolicy, InvalidAuthUrl
from tests.orgs.salesforce.test_hosts import FOREIGN, GOOD

HOSTS = HostPolicy()

# The CLI's expression from sfdx-core's parseSfdxAuthUrl, which is not anchored at its end and allows any host.
CLI = re.compile("^force://([a-zA-Z0-9._-]+={0,2}):([a-zA-Z0-9._-]*={0,2}):([a-zA-Z0-9._-]+={0,2})@([a-zA-Z0-9:._-]+)")

PART = st.from_regex(r"\A[a-zA-Z0-9._-]{1,40}={0,2}\Z")
GOOD_URLS = st.builds(
    "force://{}:{}:{}@{}{}".format,
    PART,
    PART | st.just(""),
    PART,
    st.sampled_from(GOOD) | st.sampled_from([host.title() for host in GOOD]),
    st.sampled_from(["", "\n", "\r\n", " ", ":443", ":443\n"]),
)
WIDER_PART = st.text("aZ09._-=!+/%:@", max_size=6)
ODD_PARTS = st.builds(
    str.format,
    st.sampled_from(["force://{}:s:t@{}", "force://id:{}:t@{}", "force://id::{}@{}"]),
    WIDER_PART,
    st.sampled_from(GOOD),
)
NEAR_MISSES = st.builds(
    "{}{}:{}:{}@{}{}".format,
    st.sampled_from(["force://", "FORCE://", "force:/", "https://", " force://", ""]),
    PART | WIDER_PART,
    PART | WIDER_PART,
    PART | WIDER_PART,
    st.sampled_from(GOOD + FOREIGN),
    st.sampled_from(["", "/", "@evil.example", ":22", ":443", ":evil", "#", "?", "\n", "\\", "\x00"])
    | st.text(max_size=5),
)


@st.composite
def damaged_urls(draw):
    """A valid URL with one part replaced by any text."""
    text = draw(GOOD_URLS)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 3)))
    return text[:start] + draw(st.text(max_size=4)) + text[end:]


def _read(text):
    try:
        return AuthUrl.parse(text, HOSTS)
    except InvalidAuthUrl:
        return None


@given(GOOD_URLS)
def test_an_accepted_url_revealed_reads_as_the_same_value(text):
    url = AuthUrl.parse(text, HOSTS)

    assert AuthUrl.parse(url.reveal(), HOSTS) == url


@settings(max_examples=400)
@given(GOOD_URLS | NEAR_MISSES | damaged_urls() | st.text())
@example("force://PlatformCLI::token@login.salesforce.com@evil.example")
@example("force://PlatformCLI::token@evil.example#.my.salesforce.com")
@example("force://PlatformCLI::token@acme.my.salesforce.com:evil.example")
@example("force://PlatformCLI::token@acme.my.salesforce.com\r\nHost: evil.example")
def test_what_is_accepted_reads_the_same_by_the_grammar_of_the_cli(text):
    url = _read(text)

    assert url is None or _as_the_cli_reads(text) == (url.client_id, url.client_secret, url.refresh_token, url.host)


@settings(max_examples=400)
@given(ODD_PARTS)
@example("force://id::to!ken@acme.my.salesforce.com")
@example("force://id::token===@acme.my.salesforce.com")
def test_a_part_with_odd_characters_is_accepted_only_as_the_cli_accepts_it(text):
    url = _read(text)

    assert url is None or _as_the_cli_reads(text) == (url.client_id, url.client_secret, url.refresh_token, url.host)


@settings(max_examples=400)
@given(GOOD_URLS | NEAR_MISSES | damaged_urls())
def test_what_is_accepted_names_the_same_host_to_a_url_parser(text):
    url = _read(text)

    assert url is None or urlsplit(url.login_url).netloc == url.host
    assert url is None or HOSTS.admits(url.host)


@given(st.text())
def test_any_text_is_read_or_refused_and_nothing_else(text):
    url = _read(text)

    assert url is None or url.reveal() in text


NOISE = st.text().filter(lambda text: "force://" not in text)
FRAMES = st.sampled_from(
    [
        ("", ""),
        ("\ufeff", "\r\n"),
        ("SFDX_AUTH_URL='", "'\nOTHER=1\n"),
        ('Warning: an update is available.\n{"result": {"sfdxAuthUrl": "', '"}}'),
        ("\x1b[32m", "\x1b[39m"),
        ("\u2502 Sfdx Auth Url \u2502 ", " \u2502"),
    ]
)


def _found(text):
    try:
        return AuthUrl.find(text, HOSTS)
    except InvalidAuthUrl:
        return None


@given(FRAMES, GOOD_URLS, NOISE, NOISE)
def test_the_one_url_in_a_text_is_found_as_it_reads_alone(frame, url, before, after):
    start, end = frame
    text = f"{before}\n{start}{url.rstrip()}{end} \n \n{after}"

    assert text.count("force://") != 1 or _found(text) == AuthUrl.parse(url, HOSTS)


@settings(max_examples=400)
@given(FRAMES, GOOD_URLS | NEAR_MISSES | damaged_urls() | st.text(), st.text(max_size=8))
@example(("", ""), "force://PlatformCLI::token@login.salesforce.com@evil.example", "")
@example(("", ""), "force://PlatformCLI::token@acme.my.salesforce.com", "\\@evil.example")
@example(("", ""), "force://PlatformCLI::token@acme.my.salesforce.com", "\n.evil.example")
@example(("", ""), "force://PlatformCLI::token@evil.example,", "login.salesforce.com")
def test_what_is_found_in_a_damaged_text_has_a_host_of_the_list_that_stands_in_it(frame, url, noise):
    text = f"{frame[0]}{url}{noise}{frame[1]}"

    found = _found(text)

    assert found is None or HOSTS.admits(found.host)
    assert found is None or f"@{found.host}" in text.lower()
    assert found is None or found.refresh_token in text


def _as_the_cli_reads(text):
    """Return the parts that the CLI parses, with "" as host if it drops more than white space and one slash."""
    match = CLI.match(text)
    if match is None:
        return None
    login_url = urlsplit(f"https://{match[4]}")
    dropped = text[match.end() :].strip(" \r\n").removeprefix("/")
    host = login_url.hostname if login_url.port in (None, 443) and not dropped else ""
    return match[1], match[2], match[3], host

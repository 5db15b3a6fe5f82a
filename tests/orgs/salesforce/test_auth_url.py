"""Auth URLs: what is parsed, what is refused, and that no text shows their secrets."""

import pytest

from orgs.salesforce import AuthUrl, HostPolicy, InvalidAuthUrl, RedactedAuthUrl, Session, TokenResponse
from tests.orgs.salesforce.test_hosts import FOREIGN, GOOD

HOST = "acme.my.salesforce.com"
SECRET, REFRESH_TOKEN, ACCESS_TOKEN = "CLIENTSECRET1", "5Aep861REFRESH", "00D000000000001!ACCESS"


@pytest.mark.parametrize("host", GOOD)
def test_an_auth_url_at_a_host_of_salesforce_is_read(hosts, host):
    url = AuthUrl.parse(f"force://PlatformCLI::token@{host}", hosts)

    assert url.host == host
    assert url.login_url == f"https://{host}"


# An auth URL may have its host in upper case, the default port, or trailing white space.
ALLOWED_ENDS = ("login.salesforce.com/", "login.salesforce.com:443", "login.salesforce.com\n", "login.salesforce.com ")


@pytest.mark.parametrize("host", [host for host in FOREIGN if host == host.lower() and host not in ALLOWED_ENDS])
def test_an_auth_url_at_a_foreign_host_is_refused(hosts, host):
    with pytest.raises(InvalidAuthUrl):
        AuthUrl.parse(f"force://PlatformCLI::token@{host}", hosts)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("force://PlatformCLI::token@{}", ("PlatformCLI", "", "token")),
        ("force://3MVG9.abc_d-e::token@{}", ("3MVG9.abc_d-e", "", "token")),
        ("force://id:secret:token@{}", ("id", "secret", "token")),
        ("force://id=:secret=:token=@{}", ("id=", "secret=", "token=")),
        ("force://id==:secret==:token==@{}", ("id==", "secret==", "token==")),
        ("force://id:==:token@{}", ("id", "==", "token")),
        ("force://id:secret:5Aep861._-AZaz09@{}", ("id", "secret", "5Aep861._-AZaz09")),
    ],
)
def test_the_parts_of_an_auth_url_are_read(hosts, text, parts):
    url = AuthUrl.parse(text.format(HOST), hosts)

    assert (url.client_id, url.client_secret, url.refresh_token) == parts


@pytest.mark.parametrize("end", ["\n", "\r\n", " ", "   ", " \n", ":443", ":443\n", "/", "/\n", ":443/"])
def test_a_line_break_spaces_a_slash_or_the_usual_port_may_end_an_auth_url(hosts, end):
    url = AuthUrl.parse(f"force://PlatformCLI::token@{HOST}{end}", hosts)

    assert url.host == HOST


def test_undefined_in_the_place_of_the_secret_means_no_secret(hosts):
    url = AuthUrl.parse(f"force://PlatformCLI:undefined:token@{HOST}", hosts)

    assert url.reveal() == f"force://PlatformCLI::token@{HOST}"


def test_a_host_in_capitals_is_read_in_lower_case(hosts):
    url = AuthUrl.parse("force://PlatformCLI::token@CS43.Salesforce.com", hosts)

    assert url.host == "cs43.salesforce.com"


def test_an_extra_domain_may_be_the_host_of_an_auth_url():
    url = AuthUrl.parse("force://PlatformCLI::token@acme.crm.example", HostPolicy(("crm.example",)))

    assert url.host == "acme.crm.example"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "force://",
        HOST,
        f"force://token@{HOST}",
        f"force://:token@{HOST}",
        f"force://::token@{HOST}",
        f"force://PlatformCLI::@{HOST}",
        f"force://PlatformCLI:token@{HOST}",
        f"force://a:b:c:d@{HOST}",
        f"force://id===::token@{HOST}",
        f"force://id:s===:token@{HOST}",
        f"force://id::token===@{HOST}",
        f"force://i=d::token@{HOST}",
        f"force://id::to=ken@{HOST}",
        f"force://id::to%20ken@{HOST}",
        f"force://id::to!ken@{HOST}",
        f"force://id::to+ken@{HOST}",
        f"force://id::to/ken@{HOST}",
        f"force://id::t\u00f6ken@{HOST}",
        f"force://id::token\n@{HOST}",
        f"force://id::to\nken@{HOST}",
        f"force://id:\n:token@{HOST}",
        f"FORCE://PlatformCLI::token@{HOST}",
        f"https://PlatformCLI::token@{HOST}",
        f"http://PlatformCLI::token@{HOST}",
        f"file://PlatformCLI::token@{HOST}",
        f"javascript://PlatformCLI::token@{HOST}",
        f"force:PlatformCLI::token@{HOST}",
        f"PlatformCLI::token@{HOST}",
        f" force://PlatformCLI::token@{HOST}",
        f"\nforce://PlatformCLI::token@{HOST}",
        f"\ufeffforce://PlatformCLI::token@{HOST}",
        f'"force://PlatformCLI::token@{HOST}"',
        f"force://PlatformCLI::token@{HOST}//",
        f"force://PlatformCLI::token@{HOST}/path?x=1",
        f"force://PlatformCLI::token@{HOST}?x=1",
        f"force://PlatformCLI::token@{HOST}#x",
        f"force://PlatformCLI::token@https://{HOST}",
        f"force://PlatformCLI::token@user@{HOST}",
        f"force://PlatformCLI::token@user:pw@{HOST}",
        f"force://PlatformCLI::token@{HOST}@evil.example",
        f"force://PlatformCLI::token@{HOST}:evil.example",
        f"force://PlatformCLI::token@{HOST}\\@evil.example",
        f"force://PlatformCLI::token@{HOST}:22",
        f"force://PlatformCLI::token@{HOST}:8443",
        f"force://PlatformCLI::token@{HOST}:0443",
        f"force://PlatformCLI::token@{HOST}:4430",
        f"force://PlatformCLI::token@{HOST}:",
        f"force://PlatformCLI::token@{HOST}:443:443",
        f"force://PlatformCLI::token@{HOST}\n\n",
        f"force://PlatformCLI::token@{HOST}\t",
        f"force://PlatformCLI::token@{HOST}\x00",
        f"force://PlatformCLI::token@{HOST}\u2028",
        f"force://PlatformCLI::token@{HOST}\r\nHost: evil.example",
        f"force://PlatformCLI::token@{HOST}\nforce://PlatformCLI::token@{HOST}",
        "force://PlatformCLI::token@acme\n.my.salesforce.com",
        "force://PlatformCLI::token@",
        f"force://undefined::token@{HOST}",
        f"force://PlatformCLI::undefined@{HOST}",
        f"force://null::token@{HOST}",
        f"force://PlatformCLI::null@{HOST}",
        f"force://PlatformCLI::{'a' * 4096}@{HOST}",
    ],
)
def test_a_text_that_is_not_an_auth_url_is_refused(hosts, text):
    with pytest.raises(InvalidAuthUrl) as caught:
        AuthUrl.parse(text, hosts)

    assert not isinstance(caught.value, RedactedAuthUrl)


def test_an_auth_url_of_the_greatest_length_is_read_and_one_more_character_refused(hosts):
    frame = f"force://PlatformCLI::@{HOST}"
    longest = frame.replace("@", "a" * (4096 - len(frame)) + "@")

    url = AuthUrl.parse(longest, hosts)

    assert url.reveal() == longest
    with pytest.raises(InvalidAuthUrl):
        AuthUrl.parse(longest.replace("@", "a@"), hosts)


@pytest.mark.parametrize(
    "text",
    [
        "[REDACTED] Use 'sf org auth show-sfdx-auth-url' to view",
        f"force://PlatformCLI::[REDACTED]@{HOST}",
        "[REDACTED]" + "x" * 10_000,
    ],
)
def test_the_placeholder_of_the_cli_has_its_own_error(hosts, text):
    with pytest.raises(RedactedAuthUrl):
        AuthUrl.parse(text, hosts)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "acme.my.salesforce.com:8443",
        "acme.my.salesforce.com/x",
        REFRESH_TOKEN,
        REFRESH_TOKEN.lower(),
        f"{REFRESH_TOKEN}.evil.example",
        SECRET,
    ],
)
def test_no_refusal_repeats_a_secret_of_what_was_sent(hosts, host):
    with pytest.raises(InvalidAuthUrl) as caught:
        AuthUrl.parse(f"force://PlatformCLI:{SECRET}:{REFRESH_TOKEN}@{host}", hosts)

    texts = f"{caught.value!r} {caught.value} {caught.value.__cause__}"
    assert SECRET.lower() not in texts.lower()
    assert REFRESH_TOKEN.lower() not in texts.lower()


def _auth_url():
    return AuthUrl("PlatformCLI", SECRET, REFRESH_TOKEN, HOST)


def _session():
    return Session(ACCESS_TOKEN, f"https://{HOST}", "00D000000000001EAA", "005000000000001AAA")


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        "{}".format,
        "{!r}".format,
        lambda value: f"{value}",
        lambda value: f"{value!s}",
    ],
)
@pytest.mark.parametrize(
    "value",
    [_auth_url(), _session(), TokenResponse(REFRESH_TOKEN, _session()), [_auth_url()], {"session": _session()}],
)
def test_no_text_of_a_value_shows_its_secrets(show, value):
    shown = show(value)

    assert SECRET not in shown
    assert REFRESH_TOKEN not in shown
    assert ACCESS_TOKEN not in shown


def test_the_text_of_an_auth_url_names_its_app_and_host():
    shown = str(_auth_url())

    assert "PlatformCLI" in shown
    assert HOST in shown


def test_only_reveal_gives_the_whole_auth_url():
    assert _auth_url().reveal() == f"force://PlatformCLI:{SECRET}:{REFRESH_TOKEN}@{HOST}"

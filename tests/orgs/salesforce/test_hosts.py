"""Which hosts may be called, and which only look like them."""

import pytest

from orgs.salesforce import ForeignHost, HostPolicy

GOOD = [
    "login.salesforce.com",
    "test.salesforce.com",
    "acme.my.salesforce.com",
    "a.my.salesforce.com",
    "acme-emea.my.salesforce.com",
    "4acme.my.salesforce.com",
    "acme--dev1.sandbox.my.salesforce.com",
    "acme--dev1.cs42.my.salesforce.com",
    "swift-otter-1234-dev-ed.scratch.my.salesforce.com",
    "acme-dev-ed.develop.my.salesforce.com",
    "acme-dev-ed.trailblaze.my.salesforce.com",
    f"{'a' * 63}.my.salesforce.com",
    "xn--bcher-kva.my.salesforce.com",
    "na1.salesforce.com",
    "na139.salesforce.com",
    "cs43.salesforce.com",
    "eu12.salesforce.com",
    "ap28.salesforce.com",
    "um5.salesforce.com",
    "swe12.salesforce.com",
    "usa254s.salesforce.com",
    "login.salesforce.mil",
    "test.salesforce.mil",
    "acme.my.salesforce.mil",
    "acme--dev1.sandbox.my.salesforce.mil",
    "acme.crmforce.mil",
    "acme.my.crmforce.mil",
    "login.sfcrmproducts.cn",
    "test.sfcrmproducts.cn",
    "acme.my.sfcrmproducts.cn",
    "acme--dev1.sandbox.my.sfcrmproducts.cn",
]

FOREIGN = [
    "",
    ".",
    "evil.example",
    "salesforce.com",
    "my.salesforce.com",
    "www.salesforce.com",
    "help.salesforce.com",
    "login.salesforce.com.evil.com",
    "login.salesforce.com.evil.salesforce.com",
    "acme.my.salesforce.com.evil.com",
    "salesforce.com.evil",
    "evilsalesforce.com",
    "loginsalesforce.com",
    "login-salesforce.com",
    "login.salesforce.co",
    "login.salesforce.comm",
    "loginxsalesforce.com",
    "evil.login.salesforce.com",
    "acme.mysalesforce.com",
    "acme.my-salesforce.com",
    "a.b.c.my.salesforce.com",
    "acme.force.com",
    "acme.my.force.com",
    "acme.lightning.force.com",
    "acme.my.site.com",
    "evilcrmforce.mil",
    "evilsalesforce.mil",
    "evilsfcrmproducts.cn",
    "salesforce.mil",
    "crmforce.mil",
    "sfcrmproducts.cn",
    "my.salesforce.mil",
    "a.b.c.my.salesforce.mil",
    "acme.my.salesforce.mil.evil.example",
    "acme.lightning.crmforce.mil",
    "acme.my.salesforce.cn",
    "acme.lightning.sfcrmapps.cn",
    "acme.sfcrmproducts.cn",
    "acme.cloudforce.com",
    "acme.database.com",
    "acme.my.salesforce-setup.com",
    "127.0.0.1",
    "10.0.0.5",
    "169.254.169.254",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "[::1]",
    "::1",
    "[::ffff:169.254.169.254]",
    "fd00:ec2::254",
    "localhost",
    "localhost.localdomain",
    "metadata.google.internal",
    "instance-data",
    "user@login.salesforce.com",
    "login.salesforce.com@evil.example",
    "user:pw@login.salesforce.com",
    "login.salesforce.com:443",
    "login.salesforce.com:22",
    "login.salesforce.com:",
    "login.salesforce.com:443@evil.example",
    "login.salesforce.com.",
    "login.salesforce.com..",
    ".login.salesforce.com",
    "login..salesforce.com",
    ".my.salesforce.com",
    "acme..my.salesforce.com",
    f"{'a' * 64}.my.salesforce.com",
    f"acme.{'a' * 64}.my.salesforce.com",
    "-acme.my.salesforce.com",
    "acme-.my.salesforce.com",
    "acme.-sandbox.my.salesforce.com",
    "acme.sandbox-.my.salesforce.com",
    "acme_dev.my.salesforce.com",
    "*.my.salesforce.com",
    "acme%2emy.salesforce.com",
    "LOGIN.salesforce.com",
    "Acme.my.salesforce.com",
    "CS43.salesforce.com",
    "l\u043egin.salesforce.com",  # A Cyrillic o.
    "\uff4cogin.salesforce.com",  # A full-width l.
    "login\u3002salesforce.com",  # An ideographic full stop.
    "b\u00fccher.my.salesforce.com",
    "na\u0661.salesforce.com",  # An Arabic one.
    "a\u017fme.my.salesforce.com",  # A long s, which case-folds to s.
    "a1.salesforce.com",
    "abcde1.salesforce.com",
    "na12345.salesforce.com",
    "na1ab.salesforce.com",
    "na.salesforce.com",
    "1.salesforce.com",
    "evil.example#.my.salesforce.com",
    "evil.example/.my.salesforce.com",
    "evil.example\\.my.salesforce.com",
    "evil.example?.my.salesforce.com",
    "login.salesforce.com/",
    "login.salesforce.com\n",
    "\nlogin.salesforce.com",
    "login.salesforce.com\r\nHost: evil.example",
    "login.salesforce.com\x00",
    " login.salesforce.com",
    "login.salesforce.com ",
    "login.sales\tforce.com",
    "https://login.salesforce.com",
]


@pytest.mark.parametrize("host", GOOD)
def test_a_host_of_salesforce_is_admitted(hosts, host):
    assert hosts.admits(host)


@pytest.mark.parametrize("host", FOREIGN)
def test_a_foreign_host_is_not_admitted(hosts, host):
    assert not hosts.admits(host)


@pytest.mark.parametrize("host", ["crm.example", "acme.crm.example", "a.b.crm.example"])
def test_an_extra_domain_is_admitted_with_what_is_below_it(host):
    policy = HostPolicy(("other.example", "crm.example"))

    assert policy.admits(host)


@pytest.mark.parametrize(
    "host",
    [
        "evilcrm.example",
        "crm.example.evil",
        "crm.example.",
        ".crm.example",
        "a..crm.example",
        "-a.crm.example",
        "a@crm.example",
        "evil.example/.crm.example",
        "crm.example:8443",
        "example",
        "CRM.example",
        f"{'a' * 64}.crm.example",
        "b\u00fc.crm.example",
    ],
)
def test_an_extra_domain_is_matched_at_a_dot_and_whole(host):
    policy = HostPolicy(("crm.example",))

    assert not policy.admits(host)


def test_an_empty_extra_domain_admits_nothing():
    policy = HostPolicy(("",))

    assert not policy.admits("evil.example")


def test_no_extra_domain_makes_a_name_of_this_machine_callable():
    policy = HostPolicy(("localhost",))

    assert not policy.admits("localhost")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com"),
        ("https://acme.my.salesforce.com/", "https://acme.my.salesforce.com"),
        ("https://acme.my.salesforce.com:443", "https://acme.my.salesforce.com"),
        ("https://acme.my.salesforce.com:443/", "https://acme.my.salesforce.com"),
        ("https://ACME.My.Salesforce.com", "https://acme.my.salesforce.com"),
        ("https://CS43.salesforce.com", "https://cs43.salesforce.com"),
    ],
)
def test_an_instance_url_is_returned_in_one_form(hosts, text, url):
    assert hosts.instance_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "acme.my.salesforce.com",
        "http://acme.my.salesforce.com",
        "HTTPS://acme.my.salesforce.com",
        "ftp://acme.my.salesforce.com",
        "javascript:alert(1)//acme.my.salesforce.com",
        "//acme.my.salesforce.com",
        "https:acme.my.salesforce.com",
        "https:///acme.my.salesforce.com",
        "https://acme.my.salesforce.com//",
        "https://acme.my.salesforce.com/path",
        "https://acme.my.salesforce.com?x=1",
        "https://acme.my.salesforce.com#x",
        "https://acme.my.salesforce.com:8443",
        "https://acme.my.salesforce.com:22",
        "https://acme.my.salesforce.com:",
        "https://acme.my.salesforce.com@evil.example",
        "https://user:pw@acme.my.salesforce.com",
        "https://evil.example/.my.salesforce.com",
        "https://evil.example#.my.salesforce.com",
        "https://evil.example\\.my.salesforce.com",
        "https://*.salesforce.com",
        "https://10.0.0.5",
        "https://[::1]",
        "https://localhost",
        "https://acme.my.salesforce.com\n",
        " https://acme.my.salesforce.com",
        "https://acme.my.salesforce.com ",
        "https://acme.my.sales\nforce.com",
        "https://\uff4cogin.salesforce.com",
        "https://acme.my.salesforce.com.",
        f"https://{'a.' * 200}my.salesforce.com",
    ],
)
def test_an_instance_url_that_names_more_or_else_is_refused(hosts, text):
    with pytest.raises(ForeignHost):
        hosts.instance_url(text)


@pytest.mark.parametrize(
    ("host", "advice"),
    [
        ("evil.example", "SALESFORCE_EXTRA_DOMAINS=evil.example."),
        ("acme.my-salesforce.com", "SALESFORCE_EXTRA_DOMAINS=my-salesforce.com."),
        ("acme.cloudforce.com", "SALESFORCE_EXTRA_DOMAINS=cloudforce.com."),
        ("acme.database.com", "SALESFORCE_EXTRA_DOMAINS=database.com."),
        ("acme.lightning.force.com", "Use acme.my.salesforce.com (NAME.my.salesforce.com)."),
        (
            "acme--dev1.sandbox.lightning.force.com",
            "Use acme--dev1.sandbox.my.salesforce.com (NAME.my.salesforce.com).",
        ),
        ("acme.my.salesforce-setup.com", "Use acme.my.salesforce.com (NAME.my.salesforce.com)."),
        ("acme.lightning.crmforce.mil", "Use acme.my.salesforce.mil (NAME.my.salesforce.mil)."),
        ("acme.lightning.sfcrmapps.cn", "Use acme.my.sfcrmproducts.cn (NAME.my.sfcrmproducts.cn)."),
        ("acme--dev1--c.sandbox.vf.force.com", "not its API. Use NAME.my.salesforce.com."),
        ("salesforce.com", "is not the host of an org. Use NAME.my.salesforce.com."),
        ("acme.salesforce.com", "an operator can admit it: SALESFORCE_EXTRA_DOMAINS=acme.salesforce.com."),
    ],
)
def test_a_refused_instance_url_names_its_host_and_what_to_use(hosts, host, advice):
    with pytest.raises(ForeignHost) as caught:
        hosts.instance_url(f"https://{host}")

    assert f"{host}" in str(caught.value)
    assert str(caught.value).endswith(advice)


@pytest.mark.parametrize("host", ["secret-word", "5aep861abc.evil.example", f"{'s' * 41}.example", "10.0.0.5", "a..b"])
def test_a_host_that_may_be_a_secret_is_not_repeated_in_the_message(hosts, host):
    with pytest.raises(ForeignHost) as caught:
        hosts.instance_url(f"https://{host}")

    assert host not in str(caught.value)


@pytest.mark.parametrize("old", ["my-salesforce.com", "cloudforce.com", "database.com"])
def test_an_older_domain_of_salesforce_is_admitted_by_the_setting(old):
    assert HostPolicy((old,)).admits(f"acme.{old}")

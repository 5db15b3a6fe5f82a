"""What the host of an org says: the name of its sandbox, and its My Domain."""

import pytest

from orgs.salesforce import host_of, is_same_my_domain, my_domain, sandbox_name


def test_the_host_of_an_instance_url_comes_without_its_scheme():
    assert host_of("https://acme.my.salesforce.com") == "acme.my.salesforce.com"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("acme--dev1.sandbox.my.salesforce.com", "dev1"),
        ("ACME--Dev1.sandbox.my.salesforce.com", "dev1"),
        ("acme--dev1.cs42.my.salesforce.com", "dev1"),
        ("acme--dev1.sandbox.my.salesforce.mil", "dev1"),
        ("acme--dev1.sandbox.my.sfcrmproducts.cn", "dev1"),
        ("acme-emea--qa.sandbox.my.salesforce.com", "qa"),
        ("acme.my.salesforce.com", ""),
        ("acme-dev-ed.develop.my.salesforce.com", ""),
        ("login.salesforce.com", ""),
    ],
)
def test_the_name_of_a_sandbox_stands_in_its_host(host, name):
    assert sandbox_name(host) == name


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("acme--dev1.sandbox.my.salesforce.com", "acme"),
        ("Acme.my.salesforce.com", "acme"),
        ("acme-emea--qa.sandbox.my.salesforce.com", "acme-emea"),
    ],
)
def test_the_my_domain_is_the_first_label_without_the_sandbox(host, domain):
    assert my_domain(host) == domain


@pytest.mark.parametrize(
    ("host", "other", "same"),
    [
        ("acme--dev1.sandbox.my.salesforce.com", "acme.my.salesforce.com", True),
        ("acme--dev1.cs42.my.salesforce.com", "acme.my.salesforce.com", True),
        ("acme--dev1.sandbox.my.salesforce.mil", "acme.my.salesforce.mil", True),
        ("acme--dev1.sandbox.my.salesforce.mil", "acme.crmforce.mil", True),
        ("acme--dev1.sandbox.my.salesforce.mil", "acme.my.salesforce.com", False),
        ("acme--dev1.sandbox.my.sfcrmproducts.cn", "acme.my.salesforce.com", False),
        ("emea--dev1.sandbox.my.salesforce.com", "acme.my.salesforce.com", False),
    ],
)
def test_a_my_domain_is_the_same_in_one_region_only(host, other, same):
    assert is_same_my_domain(host, other) is same

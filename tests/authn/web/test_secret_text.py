"""The audit stores a fingerprint in place of a secret that was sent as e-mail."""

import base64

import pytest

from authn import tokens
from authn.audit import fingerprint
from authn.models import AuditEvent, User
from authn.principals import system
from authn.web.secret_text import is_marked_secret, looks_like_a_secret
from tests.authn.servicestack.wire import Wire
from tests.orgs.factories import ACCESS_TOKEN, ORG
from tests.support.api_client import Caller
from tests.support.browser_client import Visitor, text_of

pytestmark = pytest.mark.django_db
SECRETS = {
    "password": "Correct-Horse-7!",
    "password with an @": "P@ssw0rd",
    "token of this desk": "fdt_" + "aB3" * 14,
    "token of this desk in an address": "fdt_" + "aB3" * 14 + "@acme.example",
    "auth URL": "force://PlatformCLI::5Aep861abcdefghijkl@acme.my.salesforce.com",
    "session id": "00D3i000000abcdEAA!AQ4AQFakeFakeFake@acme.example",
    "JWT in an address": "eyJhbGciOiJIUzI1NiJ9.e30@acme.example",
    "random text in an address": "q7Xk2Lm9Vw4Zt8Rb1Nc6@acme.example",
    "hexadecimal key in an address": "9f86d081884c7d659a2feaa0c55ad015@acme.example",
}
NAMES = [
    "mia@acme.example",
    "mia.von-der-lippe+desk@sub.acme-holding.example",
    "jean-christophe.vandenberghe-dupont@acme.example",
    "build-2024-11-30-release-candidate-7@acme.example",
    "ServiceAccountForDataLoaderJob1@acme.example",
]


def _rest(name):
    return Caller().post("/sfp/api/auth/admin/login", {"email": name, "password": "wrong"}).status_code


def _page(name):
    return Visitor().post("/login", {"email": name, "password": "wrong"}).status_code


def _servicestack(name):
    return Wire().post("/auth/credentials", {"UserName": name, "Password": "wrong"}).status


def _basic(name):
    header = base64.b64encode(f"{name.replace(':', '.')}:wrong".encode()).decode()
    return Wire().get("/auth", Authorization=f"Basic {header}").status


@pytest.mark.parametrize("endpoint", [_rest, _page, _servicestack, _basic])
def test_a_secret_sent_as_email_is_not_stored_in_the_audit(endpoint, subtests):
    for what, secret in SECRETS.items():
        with subtests.test(what):
            endpoint(secret)

            row = AuditEvent.objects.filter(action="person.login").latest("id")
            assert row.outcome == "refused"
            assert row.actor_name.startswith("fingerprint:")
            assert secret[:12].lower() not in f"{vars(row)}".lower()
    assert AuditEvent.objects.count() == len(SECRETS)


def test_a_secret_of_a_locked_log_in_is_not_shown():
    statuses = [_rest("Correct-Horse-7!") for _ in range(6)]

    assert statuses == [401] * 5 + [429]
    assert {row.actor_name for row in AuditEvent.objects.all()} == {f"fingerprint:{fingerprint('Correct-Horse-7!')}"}


@pytest.mark.parametrize("name", NAMES)
def test_an_email_address_is_normalized(name):
    _rest(f" {name} ")

    assert AuditEvent.objects.get().actor_name == name.lower()


def test_a_token_sent_as_email_has_the_fingerprint_of_its_creation():
    _row, value = tokens.issue(name="ci", days=1, by=system("tests"))

    _rest(value)

    made, refused = AuditEvent.objects.order_by("id")
    assert refused.actor_name == f"fingerprint:{made.fingerprint}"


def test_a_token_sent_as_an_org_name_is_not_stored_in_the_audit(owner, member):
    _row, value = tokens.issue(name="ci", days=1, by=system("tests"))

    member.post(ACCESS_TOKEN, username=value)
    owner.get(ORG, username=value)

    assert not [row for row in AuditEvent.objects.all() if value[:20] in f"{vars(row)}"]
    assert AuditEvent.objects.filter(target_label=f"fingerprint:{fingerprint(value)}").exists()


@pytest.mark.parametrize(
    "name", [*NAMES, "ci@acme.com.dev1", "test-wvkpnfm5z113@example.com", "scratch_1699999999999@acme.example"]
)
def test_user_and_org_names_are_not_secrets(name):
    assert not looks_like_a_secret(name)
    assert not is_marked_secret(name)


def test_the_console_finds_a_refused_token_by_its_fingerprint(owner):
    _row, value = tokens.issue(name="ci", days=1, by=system("tests"))
    _rest(value)

    page = Visitor().sign_in(User.objects.get()).get("/console/authn/auditevent/", q=fingerprint(value))

    assert "person.login</code>" in text_of(page)

"""Access tokens in JWT form, which External Client Apps issue: kilobytes long, on every route and in the spool."""

import pytest

from orgs.credentials import outcomes, spool
from orgs.credentials.envelopes import decrypt_session
from orgs.credentials.models import Credential
from orgs.salesforce import AuthUrl, HostPolicy, SalesforceClient, Session, Transport
from orgs.salesforce.emulator import Emulator
from tests.orgs.factories import (
    ACCESS_TOKEN,
    DEFAULT_DEVHUB,
    DEFAULT_DEVHUB_TOKEN,
    ORG,
    REGISTER,
    TEST_CONNECTION,
    a_registered_org,
    an_org,
)
from tests.sandboxes.factories import FRONTDOOR

CI = {"username": "ci@acme.example"}
LENGTHS = [1_024, 2_182, 4_097, 16_384]
ESCAPED = '"'  # JSON writes it as two characters.

pytestmark = pytest.mark.django_db


@pytest.fixture
def ci(owner, salesforce):
    """Register an org."""
    return a_registered_org(owner, salesforce)


@pytest.fixture
def emulator_over_http():
    """Serve an emulated Salesforce over HTTP; return it with a client."""
    emulator, hosts = Emulator(), HostPolicy()
    with emulator.serve() as server:
        transport = Transport(hosts, gateway=server.url)
        yield emulator, SalesforceClient(transport, hosts)
        transport.close()


@pytest.mark.database
@pytest.mark.parametrize("rotates", [False, True], ids=["static", "rotates"])
@pytest.mark.parametrize("length", LENGTHS)
def test_every_route_accepts_and_returns_a_token_of_this_length(owner, salesforce, length, rotates):
    app = salesforce.add_app("AcmeECA", "s3cret", rotates=rotates)
    app.jwt_length = length
    url = an_org(salesforce, is_dev_hub=True).auth_url(app)

    registered = owner.post(REGISTER, {"sfdxAuthUrl": url, "isDevHub": True, "isDefault": True})
    tested = owner.post(TEST_CONNECTION, **CI)
    tokens = [
        owner.post(ACCESS_TOKEN, **CI).json()["accessToken"],
        owner.post(DEFAULT_DEVHUB_TOKEN).json()["accessToken"],
        owner.get(ORG, **CI, authType="accessToken").json()["accessToken"],
        owner.get(DEFAULT_DEVHUB, authType="accessToken").json()["accessToken"],
    ]
    link = owner.get(FRONTDOOR, target=CI["username"], redirect="false")

    assert registered.status_code == 201, registered
    assert tested.json()["isValid"] is True
    assert {len(token) for token in tokens} == {length}
    assert all(salesforce.sessions[token].alive for token in tokens)
    assert link.status_code == 200, link
    stored = decrypt_session(Credential.objects.with_secrets().get())
    assert stored is not None
    assert len(stored.access_token) == length


def test_a_longer_token_is_refused(owner, salesforce):
    salesforce.apps["PlatformCLI"].jwt_length = 16_385

    response = owner.post(REGISTER, {"sfdxAuthUrl": an_org(salesforce).auth_url()})

    assert response.refusal == (502, "UPSTREAM_UNREADABLE")


def test_the_longest_response_fits_into_its_spool_file(ci):
    credential = Credential.objects.get()
    longest = AuthUrl("c" * 2_000, "s" * 1_800, ESCAPED * 4_096, f"{'h' * 240}.salesforce.com")
    session = Session(ESCAPED * 16_384, f"https://{'i' * 240}.salesforce.com", "0" * 18, "1" * 18)
    text = outcomes.to_text(outcomes.Refreshed(session, longest, rotated=True))
    attempt_id = spool.AttemptId(credential.pk, credential.generation)

    with spool.SpoolFile.reserve(attempt_id) as file:
        file.write(text)
        size = attempt_id.path.stat().st_size
        read = file.read()
        file.remove()

    assert size == spool.RESERVED_BYTES
    assert read == text


def test_the_longest_token_reaches_a_real_server(emulator_over_http):
    emulator, client = emulator_over_http
    emulator.apps["PlatformCLI"].jwt_length = 16_384
    url = AuthUrl.parse(an_org(emulator).auth_url(), HostPolicy())

    session = client.refresh(url).session

    assert client.organization(session).kind == "production"

"""A ciphertext or a link that was moved to another row is refused, without harm to other rows."""

import pytest
from django.db import connection

from orgs.credentials.models import Credential
from orgs.models import SalesforceOrg
from tests.orgs.factories import ACCESS_TOKEN, ORG, ORGS, REGISTER, TEST_CONNECTION, a_registered_org

NAMES = ("one@acme.example", "two@acme.example", "three@acme.example")
pytestmark = pytest.mark.django_db


@pytest.fixture
def three(owner, salesforce):
    for name in NAMES:
        a_registered_org(owner, salesforce, name, isDevHub=True)
    salesforce.reset_calls()


def _credentials() -> list[Credential]:
    return [Credential.objects.get(org__username=name) for name in NAMES]


def _raw(column: str) -> dict[str, bytes]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, {column} FROM orgs_credential")  # noqa: S608
        return {str(row[0]).replace("-", ""): bytes(row[1]) for row in cursor}


def _write(column: str, credential: Credential, value: bytes) -> None:
    identifier = credential.pk.hex if connection.vendor == "sqlite" else str(credential.pk)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE orgs_credential SET {column} = %s WHERE id = %s", [value, identifier])  # noqa: S608


def _swap_ciphertexts(column: str) -> None:
    one, two, _ = _credentials()
    raw = _raw(column)
    _write(column, one, raw[two.pk.hex])
    _write(column, two, raw[one.pk.hex])


def _swap_grants() -> None:
    _swap_ciphertexts("sealed_grant")


def _swap_links() -> None:
    one, two = SalesforceOrg.objects.get(username=NAMES[0]), SalesforceOrg.objects.get(username=NAMES[1])
    first, second = one.credential_id, two.credential_id
    SalesforceOrg.objects.filter(pk=one.pk).update(credential=None)
    SalesforceOrg.objects.filter(pk=two.pk).update(credential=first)
    SalesforceOrg.objects.filter(pk=one.pk).update(credential=second)


def _swap_org_ids() -> None:
    one, two = SalesforceOrg.objects.get(username=NAMES[0]), SalesforceOrg.objects.get(username=NAMES[1])
    SalesforceOrg.objects.filter(pk=one.pk).update(org_id=two.org_id)
    SalesforceOrg.objects.filter(pk=two.pk).update(org_id=one.org_id)


def _flip_a_bit() -> None:
    raw = _raw("sealed_grant")
    for credential in _credentials()[:2]:
        value = bytearray(raw[credential.pk.hex])
        value[40] ^= 1
        _write("sealed_grant", credential, bytes(value))


def _empty() -> None:
    for credential in _credentials()[:2]:
        _write("sealed_grant", credential, b"")


@pytest.mark.parametrize("tamper", [_swap_grants, _swap_links, _swap_org_ids, _flip_a_bit, _empty])
def test_moved_secrets_are_refused_for_those_two_orgs_only(owner, salesforce, three, tamper):
    tamper()

    for name in NAMES[:2]:
        for response in (
            owner.post(ACCESS_TOKEN, username=name),
            owner.get(ORG, username=name, authType="accessToken"),
            owner.get(ORG, username=name, authType="sfdxAuthUrl"),
        ):
            assert response.status_code == 409, response
            assert response.json()["code"] == "CREDENTIAL_TAMPERED"
            assert "register this org again" in response.json()["action"]
        assert owner.get(ORG, username=name).json()["authError"]["code"] == "CREDENTIAL_TAMPERED"
        assert owner.post(TEST_CONNECTION, username=name).json()["code"] == "CREDENTIAL_TAMPERED"
    assert salesforce.calls == [], "nothing was sent"
    assert owner.post(ACCESS_TOKEN, username=NAMES[2]).status_code == 200
    shown = {org["username"]: "sfdxAuthUrl" in org for org in owner.get(ORGS, includeSfdxAuthUrl="true").json()}
    assert shown == {NAMES[0]: False, NAMES[1]: False, NAMES[2]: True}


def test_a_moved_session_is_not_adopted(owner, salesforce, three):
    from orgs.credentials.envelopes import decrypt_session
    from orgs.credentials.errors import CredentialTampered

    _swap_ciphertexts("sealed_session")

    for credential in _credentials()[:2]:
        with pytest.raises(CredentialTampered):
            decrypt_session(Credential.objects.get(pk=credential.pk))


@pytest.mark.database
def test_registering_again_repairs_a_moved_credential(owner, salesforce, three):
    _swap_links()
    org = salesforce.org_at("one.my.salesforce.com")

    response = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    assert response.status_code == 201, response
    assert owner.post(ACCESS_TOKEN, username=NAMES[0]).status_code == 200


@pytest.mark.database
def test_a_tampered_org_can_be_deleted(owner, salesforce, three):
    _flip_a_bit()

    assert owner.delete(ORG, username=NAMES[0]).status_code == 200


@pytest.mark.database
def test_an_unbound_credential_is_refused_for_an_org_with_an_org_id(owner, salesforce, three, settings):
    settings.ALLOW_SKIP_VALIDATION = True
    fresh = salesforce.add_org("four.my.salesforce.com", username="four@acme.example").auth_url()
    owner.post(REGISTER, {"sfdxAuthUrl": fresh, "username": "four@acme.example", "skipValidation": True})
    unbound = SalesforceOrg.objects.get(username="four@acme.example").credential_id
    SalesforceOrg.objects.filter(username="four@acme.example").update(credential=None)
    SalesforceOrg.objects.filter(username=NAMES[0]).update(credential=unbound)

    response = owner.post(ACCESS_TOKEN, username=NAMES[0])

    assert response.json()["code"] == "CREDENTIAL_TAMPERED"


@pytest.mark.database
def test_a_database_under_other_keys_is_reported_as_sealed(owner, salesforce, three, settings):
    from orgs.credentials.hash_key import token_hash_key
    from orgs.credentials.models import DeskKey

    key = DeskKey.objects.get()
    DeskKey.objects.filter(pk=key.pk).delete()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO orgs_deskkey (name, sealed_key) VALUES (%s, %s)", [key.pk, b"of another desk"])
    token_hash_key.cache_clear()

    response = owner.post(REGISTER, {"sfdxAuthUrl": salesforce.orgs[0].auth_url()})
    token_hash_key.cache_clear()

    assert response.status_code == 503
    assert response.json()["code"] == "SEALED"
    assert "FERNET_KEYS" in response.json()["action"]


def test_swapped_secrets_of_two_orphans_are_refused(salesforce):
    from orgs.credentials.envelopes import decrypt_grant
    from orgs.credentials.errors import CredentialTampered
    from orgs.credentials.token_index import credential_for
    from orgs.salesforce import AuthUrl

    one, two = (credential_for(AuthUrl("PlatformCLI", "", f"5Aep861{name}", "acme.my.salesforce.com")) for name in "ab")
    raw = _raw("sealed_grant")
    _write("sealed_grant", one, raw[two.pk.hex])
    _write("sealed_grant", two, raw[one.pk.hex])

    for credential in (one, two):
        with pytest.raises(CredentialTampered):
            decrypt_grant(Credential.objects.get(pk=credential.pk))

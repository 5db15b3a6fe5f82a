"""Encrypts secrets for a credential's columns, and rejects a ciphertext that was moved to another row.

Encryption alone does not bind a ciphertext to its row: an attacker who can write to the database could
move the grant of one org to another org. An envelope therefore names its column, its credential and,
once Salesforce has returned them, the org id and username. They are compared with the row and its owner
after decryption.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from orgs.credentials.errors import CredentialTampered
from orgs.credentials.fields import EncryptedText, Undecryptable
from orgs.credentials.hash_key import require_unsealed
from orgs.credentials.models import Credential
from orgs.salesforce import AuthUrl, Session

_GRANT = "grant"
_SESSION = "session"


@dataclass(frozen=True, slots=True)
class Binding:
    """The org and user that a grant belongs to, as Salesforce returned them; None before the first refresh."""

    org_id: str | None = None
    username: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A refresh token with its app and host, and the org and user it belongs to."""

    auth_url: AuthUrl = field(repr=False)
    binding: Binding = Binding()


def encrypt_grant(credential: Credential, grant: Grant) -> str:
    """Return the text for `sealed_grant`; the column encrypts it."""
    url = grant.auth_url
    return _encode(
        credential,
        _GRANT,
        grant.binding,
        client_id=url.client_id,
        client_secret=url.client_secret,
        refresh_token=url.refresh_token,
        host=url.host,
    )


def decrypt_grant(credential: Credential, *, check_owner: bool = True) -> Grant:
    """Return the grant of a credential. Raises CredentialTampered.

    `check_owner=False` is for the transaction that links the credential to another owner.
    """
    content, binding = _decode(credential, "sealed_grant", _GRANT, check_owner=check_owner)
    url = AuthUrl(
        client_id=content["client_id"],
        client_secret=content["client_secret"],
        refresh_token=content["refresh_token"],
        host=content["host"],
    )
    return Grant(url, binding)


def encrypt_session(credential: Credential, session: Session, binding: Binding) -> str:
    """Return the text for `sealed_session`; the column encrypts it."""
    return _encode(
        credential,
        _SESSION,
        binding,
        access_token=session.access_token,
        instance_url=session.instance_url,
        session_org_id=session.org_id,
        user_id=session.user_id,
    )


def decrypt_session(credential: Credential, *, check_owner: bool = True) -> Session | None:
    """Return the newest session of a credential, None before the first. Raises CredentialTampered."""
    if _decrypt_column(credential, "sealed_session") is None:
        return None
    content, _ = _decode(credential, "sealed_session", _SESSION, check_owner=check_owner)
    return Session(
        access_token=content["access_token"],
        instance_url=content["instance_url"],
        org_id=content["session_org_id"],
        user_id=content["user_id"],
    )


def _encode(credential: Credential, column: str, binding: Binding, **content: str | None) -> str:
    return json.dumps(
        {
            "column": column,
            "credential": str(credential.pk),
            "org_id": binding.org_id,
            "username": binding.username,
            **content,
        }
    )


def _decode(
    credential: Credential, field_name: str, column: str, *, check_owner: bool
) -> tuple[dict[str, Any], Binding]:
    try:
        content = json.loads(_decrypt_column(credential, field_name) or "")
    except ValueError as error:
        raise CredentialTampered from error
    if content.get("column") != column or content.get("credential") != str(credential.pk):
        raise CredentialTampered
    binding = Binding(content.get("org_id"), content.get("username"))
    if check_owner:
        _check_owner(credential, binding)
    return content, binding


def _decrypt_column(credential: Credential, field_name: str) -> str | None:
    """Return the text of one column. Raises CredentialTampered, or DeskSealed if FERNET_KEYS fit no row at all."""
    value: EncryptedText | str | None = getattr(credential, field_name)
    if not isinstance(value, EncryptedText):
        return value  # The row was created in this process and not loaded since.
    try:
        return value.decrypt()
    except Undecryptable as error:
        require_unsealed()  # With wrong FERNET_KEYS no row can be decrypted, and none was modified.
        raise CredentialTampered from error


def _check_owner(credential: Credential, binding: Binding) -> None:
    owner = credential.owner
    if owner is None:
        return
    # A grant that was never refreshed names no org: it fits only an owner whose org id is unknown too.
    if binding.org_id is None and binding.username is None:
        if owner.org_id:
            raise CredentialTampered
        return
    if binding.org_id != owner.org_id or (binding.username or "").lower() != owner.username.lower():
        raise CredentialTampered

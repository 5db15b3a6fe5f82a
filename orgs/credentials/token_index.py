"""Finds the credential of a refresh token, even if the token was spent long ago.

A pipeline that registers the same stored auth URL every night submits a token that Salesforce replaced
months ago. Sending it to Salesforce would revoke the whole family. The keyed hash of every token that a
credential had is therefore stored (docs/decisions/0002).
"""

import hashlib
import hmac
from collections.abc import Iterable

from django.db import IntegrityError, transaction

from orgs.credentials.envelopes import Grant, encrypt_grant
from orgs.credentials.hash_key import token_hash_key
from orgs.credentials.models import Credential, KnownToken
from orgs.salesforce import AuthUrl

# How many hashes of tokens that never left the desk are kept per credential. No client can submit such a token.
MAX_UNRELEASED = 20


def digest(client_id: str, refresh_token: str) -> str:
    """Return the keyed hash of a token: HMAC-SHA256, hexadecimal. Raises DeskSealed."""
    message = f"{client_id}\0{refresh_token}".encode()
    return hmac.new(token_hash_key(), message, hashlib.sha256).hexdigest()


def credential_for(auth_url: AuthUrl) -> Credential:
    """Return the credential of a submitted auth URL. Creates one, without an owner, if the token is new.

    If several callers submit the same new token at once, one creates the credential and all get it.
    Raises DeskSealed.
    """
    token_hash = digest(auth_url.client_id, auth_url.refresh_token)
    if found := _find(token_hash):
        return found
    try:
        with transaction.atomic():
            return _create(auth_url, token_hash)
    except IntegrityError:
        if found := _find(token_hash):
            return found
        raise


def add(credential: Credential, client_id: str, refresh_token: str, *, released: bool) -> None:
    """Store the hash of a credential's refresh token. Call it in the transaction that stores the token.

    Hashes of `released` tokens, which a client has too, are kept as long as the credential; of the others,
    the newest MAX_UNRELEASED.
    """
    token_hash = digest(client_id, refresh_token)
    defaults = {"credential": credential, "outside": released}
    row, created = KnownToken.objects.get_or_create(digest=token_hash, defaults=defaults)
    if released and not created and not row.outside:
        KnownToken.objects.filter(pk=row.pk).update(outside=True)
    unreleased = KnownToken.objects.filter(credential=credential, outside=False).order_by("-pk")
    if surplus := list(unreleased.values_list("pk", flat=True)[MAX_UNRELEASED:]):
        KnownToken.objects.filter(pk__in=surplus).delete()


def mark_released(urls: Iterable[AuthUrl]) -> None:
    """Store that a client gets these auth URLs, each with the newest token of its credential."""
    token_hashes = [digest(url.client_id, url.refresh_token) for url in urls]
    KnownToken.objects.filter(digest__in=token_hashes, outside=False).update(outside=True)


def _find(token_hash: str) -> Credential | None:
    return Credential.objects.filter(known_tokens__digest=token_hash).first()


def _create(auth_url: AuthUrl, token_hash: str) -> Credential:
    credential = Credential()
    credential.sealed_grant = encrypt_grant(credential, Grant(auth_url))
    credential.save(force_insert=True)
    KnownToken.objects.create(credential=credential, digest=token_hash, outside=True)
    return credential

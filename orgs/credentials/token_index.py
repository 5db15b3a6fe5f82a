"""Finds the credential that a refresh token belongs to, also when the token is long spent.

A pipeline that registers the same stored auth URL every night sends a token that Salesforce
rotated away months ago. Sending it to Salesforce would end the whole family. So every token that
was ever seen is known by a keyed hash, and stands for its credential.
"""

import hashlib
import hmac
from collections.abc import Iterable

from django.db import IntegrityError, transaction

from orgs.credentials.envelopes import Grant, encrypt_grant
from orgs.credentials.hash_key import token_hash_key
from orgs.credentials.models import Credential, KnownToken
from orgs.salesforce import AuthUrl

# Of the tokens that never left the desk this many are kept; nobody can send an older one.
MAX_INTERNAL = 20


def digest(client_id: str, refresh_token: str) -> str:
    """Return the keyed hash under which a token is known: HMAC-SHA256, hexadecimal."""
    message = f"{client_id}\0{refresh_token}".encode()
    return hmac.new(token_hash_key(), message, hashlib.sha256).hexdigest()


def credential_for(auth_url: AuthUrl) -> Credential:
    """Return the credential that an auth URL from outside stands for, made now if it is new.

    A new one has no owner yet. Of several callers that bring one new token at once, one makes the
    credential and all get it.
    """
    known = digest(auth_url.client_id, auth_url.refresh_token)
    if found := _find(known):
        return found
    try:
        with transaction.atomic():
            return _create(auth_url, known)
    except IntegrityError:
        if found := _find(known):
            return found
        raise


def add(credential: Credential, client_id: str, refresh_token: str, *, outside: bool) -> None:
    """Note that a token stands for a credential; call it in the transaction that stores the token.

    `outside` tokens are kept as long as the credential, of the others the last KEPT_INSIDE.
    """
    known = digest(client_id, refresh_token)
    row, made = KnownToken.objects.get_or_create(digest=known, defaults={"credential": credential, "outside": outside})
    if outside and not made and not row.outside:
        KnownToken.objects.filter(pk=row.pk).update(outside=True)
    inside = KnownToken.objects.filter(credential=credential, outside=False).order_by("-pk")
    if surplus := list(inside.values_list("pk", flat=True)[MAX_INTERNAL:]):
        KnownToken.objects.filter(pk__in=surplus).delete()


def mark_released(urls: Iterable[AuthUrl]) -> None:
    """Note that these tokens, each the newest of its credential, are known outside from now on."""
    known = [digest(url.client_id, url.refresh_token) for url in urls]
    KnownToken.objects.filter(digest__in=known, outside=False).update(outside=True)


def _find(known: str) -> Credential | None:
    return Credential.objects.filter(known_tokens__digest=known).first()


def _create(auth_url: AuthUrl, known: str) -> Credential:
    credential = Credential()
    credential.sealed_grant = encrypt_grant(credential, Grant(auth_url))
    credential.save(force_insert=True)
    KnownToken.objects.create(credential=credential, digest=known, outside=True)
    return credential

"""Leaves an answer in the spool, where a process that died before the commit would have left it."""

from dataclasses import replace

from orgs.credentials.concurrency import salesforce_slot
from orgs.credentials.envelopes import decrypt_grant
from orgs.credentials.models import Credential
from orgs.credentials.outcomes import Refreshed, to_text
from orgs.credentials.spool import AttemptId, SpoolFile


def leave_an_answer(credential: Credential) -> None:
    """Refresh at Salesforce, with a rotating app, and keep the answer in the spool alone."""
    url = decrypt_grant(credential).auth_url
    with salesforce_slot(credential.pk) as client:
        answer = client.refresh(url)
    assert answer.refresh_token, "the app must rotate"
    newest = replace(url, refresh_token=answer.refresh_token)
    with SpoolFile.reserve(AttemptId(credential.pk, credential.generation)) as file:
        file.write(to_text(Refreshed(answer.session, newest, rotated=True)))

"""Leaves a response in the spool, as a process does that dies before the commit."""

from dataclasses import replace

from orgs.credentials.concurrency import salesforce_slot
from orgs.credentials.envelopes import decrypt_grant
from orgs.credentials.models import Credential
from orgs.credentials.outcomes import Refreshed, to_text
from orgs.credentials.spool import AttemptId, SpoolFile


def leave_spooled_response(credential: Credential) -> None:
    """Refresh a rotating credential at Salesforce, and store the response in the spool only."""
    url = decrypt_grant(credential).auth_url
    with salesforce_slot(credential.pk) as client:
        response = client.refresh(url)
    assert response.refresh_token, "the app must rotate"
    assert response.session is not None
    newest = replace(url, refresh_token=response.refresh_token)
    with SpoolFile.reserve(AttemptId(credential.pk, credential.generation)) as file:
        file.write(to_text(Refreshed(response.session, newest, rotated=True)))

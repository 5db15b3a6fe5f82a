"""Leaves an answer in the spool, where a process that died before the commit would have left it."""

from dataclasses import replace

from orgs.envelopes import open_grant
from orgs.models import Credential
from orgs.outcomes import Outcome
from orgs.spool import Place, SpoolFile
from orgs.upstream import place_upstream


def leave_an_answer(credential: Credential) -> None:
    """Refresh at Salesforce, with a rotating app, and keep the answer in the spool alone."""
    url = open_grant(credential).auth_url
    with place_upstream(credential.pk) as client:
        answer = client.refresh(url)
    assert answer.refresh_token, "the app must rotate"
    newest = replace(url, refresh_token=answer.refresh_token)
    with SpoolFile.reserve(Place(credential.pk, credential.generation)) as file:
        file.write(Outcome(auth_url=newest, rotated=True, session=answer.session).to_text())

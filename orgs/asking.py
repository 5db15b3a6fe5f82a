"""What the credential engine is told of a request for a session."""

from dataclasses import dataclass

from authn import audit
from authn.actors import Actor
from orgs.salesforce import AuthUrl


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for a session, for which org, and how the audit shall call what is handed out.

    `handing_out` is None when the token stays at the desk. `offered` is the auth URL that came
    with the request: its host and client secret are newer than the stored ones.
    """

    by: Actor
    org: str
    handing_out: audit.Action | None = None
    ask_again: bool = False
    offered: AuthUrl | None = None

"""An org that was opened on demand: its session, and how to get another one."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from orgs.salesforce import Session


@dataclass(frozen=True, slots=True)
class OrgSession:
    """A session of an org, whichever way it was had. `reopen` gives a fresh one when Salesforce ends it."""

    username: str
    session: Session
    credential_id: uuid.UUID
    reopen: Callable[[], Session]
    reused: bool = False

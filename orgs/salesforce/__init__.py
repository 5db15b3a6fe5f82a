"""Client of Salesforce's OAuth and REST APIs in plain Python: no Django, nothing else of Frontdesk.

    client ──▶ transport ──▶ deadline, addresses      sends: hosts, IP addresses and time are bounded
       │           └───────▶ network_errors           says why there is no response
       └─────▶ reading, reading_on_demand, refusals   parses into `results`, or raises `errors`

Start with `client`, one method per call. `auth_url` and `hosts` decide which credentials and hosts are
accepted; `auth_url_text` finds auth URLs in pasted text. `emulator` is the other side of the wire, for
tests and the demo.
"""

from orgs.salesforce.auth_url import (
    MAX_TEXT_WITH_URL_LENGTH,
    AuthUrl,
    ForeignAuthUrl,
    InvalidAuthUrl,
    RedactedAuthUrl,
)
from orgs.salesforce.client import SalesforceClient, frontdoor_with_session
from orgs.salesforce.deadline import Watch
from orgs.salesforce.errors import SalesforceError
from orgs.salesforce.hosts import (
    MAX_INSTANCE_URL_LENGTH,
    ForeignHost,
    HostPolicy,
    host_of,
    is_same_my_domain,
    my_domain,
    sandbox_name,
)
from orgs.salesforce.reading import MAX_TEXT_LENGTH
from orgs.salesforce.results import (
    Identity,
    Organization,
    SandboxCode,
    SandboxState,
    ScratchOrgRecord,
    Session,
    TokenResponse,
)
from orgs.salesforce.transport import Transport

__all__ = [
    "MAX_INSTANCE_URL_LENGTH",
    "MAX_TEXT_LENGTH",
    "MAX_TEXT_WITH_URL_LENGTH",
    "AuthUrl",
    "ForeignAuthUrl",
    "ForeignHost",
    "HostPolicy",
    "Identity",
    "InvalidAuthUrl",
    "Organization",
    "RedactedAuthUrl",
    "SandboxCode",
    "SandboxState",
    "SalesforceClient",
    "SalesforceError",
    "ScratchOrgRecord",
    "Session",
    "TokenResponse",
    "Transport",
    "Watch",
    "frontdoor_with_session",
    "host_of",
    "is_same_my_domain",
    "my_domain",
    "sandbox_name",
]

"""No log line, error, list, audit row or repr contains a secret.

Every route is called in good and bad ways while all secrets are known strings. Then everything that
was written is searched for them.
"""

import json
import logging

import pytest
from django.core.management import call_command
from django.db import connection

from authn.models import ApplicationToken, AuditEvent, User
from orgs.credentials.models import Credential, DeskKey, KnownToken
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Fault
from sandboxes.models import OnDemandGrant, PoolInstance
from tests.conftest import PASSWORD
from tests.orgs.factories import (
    ACCESS_TOKEN,
    DEFAULT_DEVHUB,
    DEFAULT_DEVHUB_TOKEN,
    ORG,
    ORGS,
    REGISTER,
    TEST_CONNECTION,
    an_org,
)
from tests.sandboxes.factories import BY_NAME, FETCH, FRONTDOOR, POOLS, SANDBOX, SCRATCH, UNASSIGN
from tests.support.api_client import Caller

TOKENS = "/sfp/api/application-tokens"
FAULTS = [
    Fault.html_maintenance(),
    Fault.status(500, b"5Aep861-canary in a body"),
    Fault.hang(60),
    Fault.reset(),
    Fault.truncated(),
    Fault.body(b'{"access_token": "AQ-canary"'),
    Fault.fields(instance_url="https://evil.example"),
    Fault.redirect("https://evil.example/?sid=AQ-canary"),
    Fault.oauth("invalid_grant", "expired access/refresh token"),
]


class _RecordingHandler(logging.Handler):
    """Keeps the records of all loggers at all levels, as formatted for the log."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def log():
    from config.json_logging import JSONLineFormatter

    handler = _RecordingHandler()
    handler.setFormatter(JSONLineFormatter())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler.lines
    root.removeHandler(handler)
    root.setLevel(before)


def _secrets_of(salesforce, *more: str) -> set[str]:
    """Return each refresh token, access token and app secret of this test, and `more`."""
    secrets = {app.secret for app in salesforce.apps.values() if app.secret} | set(salesforce.sessions)
    for grant in salesforce.grants:
        secrets |= {grant.newest, *grant.spent}
    return secrets | set(more) | set(salesforce.visits) | set(salesforce.codes) | {"canary"}


def _call_everything(owner, member, application, salesforce) -> list[tuple[str, str]]:
    """Call each route in good and bad ways. Returns texts that must contain no secret, by their source."""
    app = salesforce.add_app("AcmeCI", "app-secret-canary", rotates=True)
    hub = an_org(salesforce, "hub@acme.example", is_dev_hub=True)
    url, rotating = hub.auth_url(), an_org(salesforce, "rot@acme.example").auth_url(app)
    responses = [
        *_register(owner, member, url, rotating),
        *_send_secrets_in_other_places(owner, member, application, url, rotating),
    ]
    _request_secrets(owner, application)
    responses += _call_during_faults(application, salesforce)
    responses += _call_on_demand(owner, member, application, salesforce, hub, app)
    responses.append(owner.delete(ORG, username="rot@acme.example", revoke="true"))
    return [(f"response {number}", f"{each.text} {each.headers}") for number, each in enumerate(responses)]


def _register(owner, member, url, rotating):
    """Register and change orgs, as documented and not. Returns responses that must contain no secret."""
    return [
        owner.post(REGISTER, {"sfdxAuthUrl": url, "isDevHub": True, "isDefault": True}),
        owner.post(REGISTER, {"sfdxAuthUrl": rotating}),
        owner.post(REGISTER, {"sfdxAuthUrl": f"{url}/x"}),
        owner.post(REGISTER, {"sfdxAuthUrl": f"{url}\n{url}"}),
        owner.post(REGISTER, {"sfdxAuthUrl": [url]}),
        owner.post(REGISTER, {"sfdxAuthUrl": url, "username": url}),
        owner.post(REGISTER, {"sfdxAuthUrl": url, "instanceUrl": url}),
        owner.send("POST", REGISTER, json.dumps({"sfdxAuthUrl": url}).encode() + b"}"),
        member.post(REGISTER, {"sfdxAuthUrl": url}),
        owner.patch(ORG, {"sfdxAuthUrl": url}, username="hub@acme.example"),
        owner.patch(ORG, {"metadata": {"a": 1}}, username="hub@acme.example"),
        owner.get(ORG, username=url),
        owner.delete(ORG, username=url),
    ]


def _send_secrets_in_other_places(owner, member, application, url, rotating):
    """Send secrets in paths, queries and log-ins. Returns responses that must contain no secret."""
    return [
        application.post(ACCESS_TOKEN, username=url),
        application.post(TEST_CONNECTION, username="hub@acme.example"),
        owner.delete(f"{TOKENS}/{application.bearer[:-1]}x"),
        owner.get(TOKENS),
        member.get(ORGS),
        owner.get(ORGS),
        member.get(ORG, username="hub@acme.example"),
        member.get(DEFAULT_DEVHUB),
        Caller(application.bearer[:-1]).get(ORGS),
        Caller(owner.bearer[:-3]).get(ORGS),
        owner.send("POST", f"{REGISTER}?sfdxAuthUrl={url}"),
        owner.get(f"/sfp/api/{rotating}"),
        Caller().post("/sfp/api/auth/admin/login", {"email": "owner@acme.example", "password": f"{PASSWORD}canary"}),
        Caller().post("/sfp/api/auth/admin/login", {"email": ["x"], "password": PASSWORD}),
        Caller().post("/sfp/api/auth/refresh", {"refresh_token": owner.bearer}),
    ]


def _request_secrets(owner, application):
    """Call the routes whose responses contain a secret by design; the log must not contain it."""
    for path in (ORG, DEFAULT_DEVHUB):
        for auth_type in ("accessToken", "sfdxAuthUrl"):
            owner.get(path, username="hub@acme.example", authType=auth_type)
    owner.get(ORGS, includeSfdxAuthUrl="true")
    application.post(DEFAULT_DEVHUB_TOKEN)
    Caller().post("/sfp/api/auth/admin/login", {"email": "owner@acme.example", "password": PASSWORD})


def _call_during_faults(application, salesforce):
    """Call Salesforce through each fault. Returns responses that must contain no secret."""
    responses = []
    for fault in FAULTS:
        salesforce.inject(fault, path="/services/oauth2/token")
        responses.append(application.post(ACCESS_TOKEN, username="hub@acme.example"))
        salesforce.clear_faults()
        salesforce.inject(fault, path="/services/data")
        responses.append(application.post(TEST_CONNECTION, username="rot@acme.example"))
        salesforce.clear_faults()
    return responses


def _call_on_demand(owner, member, application, salesforce, hub, app):
    """Call the routes of on-demand grants and pools. Returns responses that must contain no secret."""
    salesforce.add_sandbox(hub, "dev1")
    salesforce.add_sandbox(hub, "dev2")
    salesforce.add_scratch_org(hub, username="s1@acme.example", host="s1-dev-ed.scratch.my.salesforce.com", app=app)
    record = hub.scratch_record("s1@acme.example")
    sandbox, scratch = {"sandboxName": "dev1"}, {"scratchOrgUsername": "s1@acme.example"}
    pool = {"repository": "acme/app", "poolTag": "features", "assignmentId": "pr-1"}
    url = record.fields["SfdxAuthUrl__c"]
    salesforce.inject(Fault.reset(), path="/services/data/v67.0/tooling/sandboxAuth")
    safe = [
        member.post(SANDBOX, sandbox),
        owner.post(POOLS, {**pool, "name": "dev2", "type": "SANDBOX", "parentUsername": "hub@acme.example"}),
        owner.post(POOLS, {**pool, "name": url, "type": "SANDBOX", "sfdxAuthUrl": f"{url}x/"}),
        owner.post(BY_NAME, {"sandboxName": "dev2", "productionUsername": "hub@acme.example"}),
        member.get(FRONTDOOR, target="hub@acme.example"),
        member.get(FRONTDOOR, target=url),
        member.get(POOLS),
        owner.post(SANDBOX, {"sandboxName": url}),
        owner.post(SCRATCH, {"scratchOrgUsername": url}),
    ]
    # These responses contain a session by design.
    for caller in (member, owner):
        caller.post(SANDBOX, sandbox)
        caller.post(SCRATCH, scratch)
        caller.get(FRONTDOOR, target="dev1")
    application.post(FETCH, pool)
    record.fields["SfdxAuthUrl__c"] = "force://a:secret-canary:b@evil.example"
    return [*safe, member.post(SCRATCH, scratch), application.post(UNASSIGN, pool)]


def test_no_secret_is_logged_printed_or_returned(owner, member, application, salesforce, log, capfd):
    texts = _call_everything(owner, member, application, salesforce)

    secrets = _secrets_of(salesforce, PASSWORD, owner.bearer, application.bearer, member.bearer)
    printed = capfd.readouterr()
    texts += [("a log line", line) for line in log]
    texts += [("standard output", printed.out), ("standard error", printed.err)]
    texts += [("an audit row", repr(vars(event))) for event in AuditEvent.objects.all()]
    for model in (SalesforceOrg, Credential, KnownToken, DeskKey, ApplicationToken, User, OnDemandGrant, PoolInstance):
        texts += [(f"a repr of {model.__name__}", f"{row!r} {row}") for row in model._default_manager.all()]

    assert len(secrets) > 10
    found = [(source, secret[:6], text[:300]) for source, text in texts for secret in secrets if secret in text]
    assert not found


def test_the_database_stores_no_secret_in_plain_text(owner, member, application, salesforce):
    _call_everything(owner, member, application, salesforce)

    stored = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            stored += [str(bytes(value) if isinstance(value, memoryview) else value) for row in cursor for value in row]

    secrets = _secrets_of(salesforce, PASSWORD, owner.bearer, application.bearer)
    assert not [(secret[:6], text[:200]) for secret in secrets for text in stored if secret in text]


def test_debug_logging_of_the_database_and_of_http_is_disabled():
    for name in ("django.db.backends", "urllib3.connectionpool"):
        assert not logging.getLogger(name).isEnabledFor(logging.DEBUG), name


def test_dumpdata_writes_no_secret(owner, salesforce, capsys):
    owner.post(REGISTER, {"sfdxAuthUrl": an_org(salesforce).auth_url()})

    call_command("dumpdata", "orgs.salesforceorg", "orgs.knowntoken", "authn.auditevent")

    written = capsys.readouterr().out
    assert not [secret for secret in _secrets_of(salesforce) if secret in written]

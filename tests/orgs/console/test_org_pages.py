"""The console's pages for orgs: registering, changing and deleting, with each error at its field."""

import json

import pytest
from django.contrib.admin.models import LogEntry

from authn.models import AuditEvent
from authn.roles import Role
from orgs.credentials.models import Credential
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Fault
from tests.orgs.factories import a_registered_org, an_org
from tests.support.browser_client import Visitor, error_at, text_of, ticked

pytestmark = pytest.mark.django_db
ORGS = "/console/orgs/salesforceorg/"
ADD = f"{ORGS}add/"


@pytest.fixture
def console(a_person) -> Visitor:
    return Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))


def _org(username: str = "ci@acme.example") -> SalesforceOrg:
    return SalesforceOrg.objects.get(username=username)


def _page(org: SalesforceOrg, submit_label: str = "change") -> str:
    return f"{ORGS}{org.pk}/{submit_label}/"


def _change(console, org, **fields):
    return console.post(_page(org), {"metadata": "{}", **fields})


# --- Registering --------------------------------------------------------------------------------------


@pytest.mark.database
@pytest.mark.parametrize("as_json", [False, True])
def test_an_org_is_registered_by_pasting_its_auth_url(as_json, console, salesforce):
    url = an_org(salesforce, is_dev_hub=True).auth_url()
    pasted = json.dumps({"status": 0, "result": {"sfdxAuthUrl": url}}) if as_json else f"  {url}\n"

    fields = {"auth_url": pasted, "is_dev_hub": "on", "is_default": "on", "metadata": '{"team": "core"}'}
    response = console.post(ADD, fields)

    org = _org()
    assert response["Location"] == _page(org)
    assert (org.is_dev_hub, org.is_default, org.metadata) == (True, True, {"team": "core"})
    assert [row.key for row in org.metadata_rows.all()] == ["team"]
    assert AuditEvent.objects.get(action="org.registered").actor_name == "olga@acme.example"
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("pasted", "message"),
    [
        ("", "This field is required."),
        ("force://a:b:c@evil.example", "The desk does not call evil.example."),
        ("nothing of the kind", "This is not an auth URL of the form"),
        ("[REDACTED] use another command", "the Salesforce CLI prints instead of the auth URL"),
        ('{"result": {}}', "The JSON has no sfdxAuthUrl."),
        ('{"result": ', "The text is not valid JSON, and contains no auth URL."),
        ("{" * 60_000, "The text is not valid JSON, and contains no auth URL."),
        ("x" * 70_000, "at most 65536 characters"),
        ("force://a:b:undefined@login.salesforce.com", "authorized by JWT have no auth URL"),
        ("force://a\x00b", "Null characters are not allowed."),
    ],
)
def test_an_invalid_auth_url_is_reported_at_its_field(pasted, message, console, salesforce):
    response = console.post(ADD, {"auth_url": pasted})

    assert response.status_code == 200
    assert message in text_of(response).split('id="id_auth_url_error"')[1].split("</ul>")[0].replace("&#x27;", "'")
    assert not salesforce.calls


def test_a_refused_auth_url_is_reported_at_its_field_and_nothing_is_stored(console, salesforce):
    org = an_org(salesforce)
    url = org.auth_url()
    org.revoke_all()

    response = console.post(ADD, {"auth_url": url})

    at_the_field = text_of(response).split('id="id_auth_url_error"')[1].split("</ul>")[0]
    assert "Salesforce no longer accepts the refresh token of this org." in at_the_field
    assert "sf org login web" in at_the_field
    assert not SalesforceOrg.objects.exists()
    assert not Credential.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"username": "other@acme.example"}, "username", "The auth URL belongs to ci@acme.example."),
        ({"is_dev_hub": "on"}, "is_dev_hub", "The org of ci@acme.example is not a DevHub."),
        ({"is_default": "on"}, "is_default", "Only a DevHub can be the default DevHub."),
        ({"metadata": "[1]"}, "metadata", "Metadata must be a JSON object."),
        ({"metadata": '{"a": 1, "a": 2}'}, "metadata", "has a duplicate key"),
        ({"metadata": "{"}, "metadata", "JSON"),
        ({"metadata": '{"' + "k" * 101 + '": 1}'}, "metadata", "at most 100 characters"),
        ({"username": "https://evil.example"}, "username", "Not a valid Salesforce username."),
    ],
)
def test_each_other_error_is_reported_at_its_field(fields, field, message, console, salesforce):
    response = console.post(ADD, {"auth_url": an_org(salesforce).auth_url(), **fields})

    assert message in text_of(response).split(f'id="id_{field}_error"')[1].split("</ul>")[0]
    assert not SalesforceOrg.objects.exists()


def test_a_salesforce_failure_is_reported_above_the_form(console, salesforce):
    url = an_org(salesforce).auth_url()
    salesforce.inject(Fault.html_maintenance(), path="/services/oauth2/token")

    response = console.post(ADD, {"auth_url": url})

    assert "Salesforce is down for maintenance. See status.salesforce.com." in text_of(response)


@pytest.mark.database
def test_registering_again_keeps_the_settings(console, owner, salesforce):
    world = a_registered_org(owner, salesforce, isDevHub=True, isDefault=True, metadata={"team": "core"})

    console.post(ADD, {"auth_url": world.auth_url(), "username": "ci@acme.example"})

    org = _org()
    assert (org.is_dev_hub, org.is_default, org.metadata) == (True, True, {"team": "core"})


def test_a_link_prefills_the_form_with_registered_usernames_only(console, owner, salesforce):
    a_registered_org(owner, salesforce)

    assert 'value="ci@acme.example"' in text_of(console.get(ADD, username="CI@acme.example"))
    for odd in ("<img src=x>", "x" * 9000, "a\x00b", "unknown@acme.example"):
        assert "value=" not in text_of(console.get(ADD, username=odd)).split('name="username"')[1].split(">")[0]


# --- Changing -------------------------------------------------------------------------------------------


@pytest.fixture
def org(owner, salesforce) -> SalesforceOrg:
    a_registered_org(owner, salesforce, metadata={"team": "core"})
    return _org()


@pytest.mark.database
def test_the_settings_of_an_org_are_changed(console, org):
    wanted = {"is_dev_hub": "on", "is_default": "on", "member_frontdoor": "on", "metadata": '{"tier": 1}'}

    response = _change(console, org, **wanted)

    assert response["Location"] == _page(org)
    org.refresh_from_db()
    assert (org.is_dev_hub, org.is_default, org.member_frontdoor) == (True, True, True)
    assert org.metadata == {"tier": 1}
    assert [(row.key, row.value) for row in org.metadata_rows.all()] == [("tier", "1")]
    row = AuditEvent.objects.get(action="org.changed")
    assert row.actor_name == "olga@acme.example"
    assert set(row.changes or ()) == {"isDevHub", "isDefault", "memberFrontdoor", "metadata.team", "metadata.tier"}


def test_members_may_not_view_an_org_until_an_owner_allows_it(org):
    assert org.member_frontdoor is False


@pytest.mark.database
def test_saving_without_a_change_changes_nothing(console, org):
    console.post(_page(org), {"metadata": '{"team": "core"}'})

    assert not AuditEvent.objects.filter(action="org.changed").exists()


def test_a_default_that_is_not_a_dev_hub_is_reported_at_its_field(console, org):
    response = _change(console, org, is_default="on")

    errors = text_of(response).split('id="id_is_default_error"')[1].split("</ul>")[0]
    assert "Only a DevHub can be the default DevHub. Select DevHub as well" in errors


@pytest.mark.database
def test_the_default_dev_hub_is_not_lost_by_clearing_dev_hub_alone(console, org):
    _change(console, org, is_dev_hub="on", is_default="on")

    refused = _change(console, org, is_default="on")

    assert "Make another DevHub the default first, or clear Default DevHub" in error_at(refused, "is_default")
    assert ticked(refused, "is_default")
    assert not ticked(refused, "is_dev_hub")
    org.refresh_from_db()
    assert (org.is_dev_hub, org.is_default) == (True, True)


@pytest.mark.database
def test_the_default_dev_hub_is_given_up_by_clearing_both(console, org):
    _change(console, org, is_dev_hub="on", is_default="on")

    response = _change(console, org)

    assert response["Location"] == _page(org)
    assert "No default DevHub is set now." in text_of(console.get(_page(org)))
    org.refresh_from_db()
    assert (org.is_dev_hub, org.is_default) == (False, False)


@pytest.mark.database
def test_the_default_is_moved_by_its_button_and_its_action(console, owner, salesforce):
    for name in ("one", "two"):
        a_registered_org(owner, salesforce, f"{name}@acme.example", isDevHub=True, isDefault=name == "one")
    two = _org("two@acme.example")

    console.post(_page(two, "make-default"), form_at=ORGS)
    assert _org("two@acme.example").is_default
    assert not _org("one@acme.example").is_default

    one = _org("one@acme.example")
    console.post(ORGS, {"action": "make_default", "_selected_action": one.pk})
    assert _org("one@acme.example").is_default
    assert console.get(_page(two, "make-default")).status_code == 405


@pytest.mark.database
def test_two_orgs_cannot_both_become_the_default(console, owner, salesforce):
    for name in ("one", "two"):
        a_registered_org(owner, salesforce, f"{name}@acme.example", isDevHub=True)
    ids = list(SalesforceOrg.objects.values_list("pk", flat=True))

    console.post(ORGS, {"action": "make_default", "_selected_action": ids})

    assert "Select exactly one org" in text_of(console.get(ORGS))
    assert not SalesforceOrg.objects.filter(is_default=True).exists()


# --- Deleting ---------------------------------------------------------------------------------------------


@pytest.mark.database
def test_deletion_is_confirmed_first_and_deletes_the_credential(console, org):
    assert "Delete ci@acme.example?" in text_of(console.get(_page(org, "delete")))
    assert SalesforceOrg.objects.exists()

    response = console.post(_page(org, "delete"))

    assert response["Location"] == ORGS
    assert not SalesforceOrg.objects.exists()
    assert not Credential.objects.exists()
    assert AuditEvent.objects.get(action="org.deleted").actor_name == "olga@acme.example"


@pytest.mark.database
def test_deletion_with_revocation_revokes_the_token_at_salesforce(console, org, salesforce):
    console.post(_page(org, "delete"), {"revoke": "on"})

    assert [call.path for call in salesforce.calls if "revoke" in call.path]
    assert AuditEvent.objects.get(action="org.deleted").details == {"revoked": True}


def test_nothing_is_deleted_while_salesforce_cannot_revoke(console, org, salesforce):
    salesforce.inject(Fault.html_maintenance(), path="/services/oauth2/revoke")

    response = console.post(_page(org, "delete"), {"revoke": "on"})

    assert "Salesforce is down for maintenance." in text_of(response)
    assert SalesforceOrg.objects.exists()


@pytest.mark.database
def test_the_deletion_of_children_must_be_confirmed(console, owner, salesforce, org):
    a_registered_org(owner, salesforce, "dev1@acme.example")
    SalesforceOrg.objects.filter(username="dev1@acme.example").update(parent=org)

    asked = console.get(_page(org, "delete"))
    refused = console.post(_page(org, "delete"))
    assert "dev1@acme.example" in text_of(asked)
    assert "Tick this box to delete the second list as well" in error_at(refused, "cascade")
    assert "This field is required" not in text_of(refused)
    assert SalesforceOrg.objects.count() == 2

    console.post(_page(org, "delete"), {"cascade": "on"})
    assert not SalesforceOrg.objects.exists()


@pytest.mark.database
def test_several_orgs_are_deleted_by_the_action(console, owner, salesforce, org):
    a_registered_org(owner, salesforce, "other@acme.example")
    ids = list(SalesforceOrg.objects.values_list("pk", flat=True))

    asked = console.post(ORGS, {"action": "delete_orgs", "_selected_action": ids})
    assert "Delete 2 orgs?" in text_of(console.get(asked["Location"]))
    console.post(asked["Location"])

    assert not SalesforceOrg.objects.exists()

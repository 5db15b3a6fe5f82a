"""A page of an org that was opened before somebody else changed the org."""

from functools import partial

import pytest

from authn.models import AuditEvent
from authn.principals import Principal
from authn.roles import Role
from orgs.models import SalesforceOrg
from orgs.update import update_org
from tests.orgs.factories import REGISTER, a_registered_org
from tests.support.browser_client import Visitor, error_at, text_of, ticked
from tests.support.concurrency import run_together

pytestmark = [pytest.mark.django_db, pytest.mark.database]
ORGS = "/console/orgs/salesforceorg/"
DANA = Principal(kind="user", id="d", name="dana@acme.example", role=Role.OWNER)


@pytest.fixture
def console(a_person) -> Visitor:
    return Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))


@pytest.fixture
def hub(owner, salesforce) -> SalesforceOrg:
    a_registered_org(owner, salesforce, "hub@acme.example", isDevHub=True, isDefault=True, metadata={"team": "core"})
    return SalesforceOrg.objects.get(username="hub@acme.example")


@pytest.fixture
def other(owner, salesforce, hub) -> SalesforceOrg:
    a_registered_org(owner, salesforce, "other@acme.example", isDevHub=True)
    return SalesforceOrg.objects.get(username="other@acme.example")


SHOWN = {"is_dev_hub": "on", "is_default": "on", "metadata": '{"team": "core"}'}


def _page(org: SalesforceOrg) -> str:
    return f"{ORGS}{org.pk}/change/"


def _default() -> list[str]:
    return [org.username for org in SalesforceOrg.objects.filter(is_default=True)]


def _stored(org: SalesforceOrg) -> SalesforceOrg:
    return SalesforceOrg.objects.get(pk=org.pk)


def test_a_stale_page_does_not_move_the_default_back(console, hub, other):
    stale = console.get(_page(hub))
    update_org(other, {"is_default": True}, by=DANA)

    response = console.send(_page(hub), stale, SHOWN | {"member_frontdoor": "on"})

    assert response["Location"] == _page(hub)
    assert _default() == ["other@acme.example"]
    assert _stored(hub).member_frontdoor
    assert "Meanwhile Default DevHub was switched off by dana@acme.example" in text_of(console.get(_page(hub)))


def test_a_stale_page_does_not_overwrite_metadata(console, hub):
    stale = console.get(_page(hub))
    update_org(hub, {"metadata": {"team": "payments"}}, by=DANA)

    console.send(_page(hub), stale, SHOWN | {"member_frontdoor": "on"})

    assert _stored(hub).metadata == {"team": "payments"}
    assert _stored(hub).member_frontdoor


def test_metadata_that_changed_meanwhile_is_refused_and_the_entry_is_kept(console, hub):
    stale = console.get(_page(hub))
    update_org(hub, {"metadata": {"team": "payments"}, "member_frontdoor": True}, by=DANA)

    refused = console.send(_page(hub), stale, SHOWN | {"metadata": '{"tier": 1}'})

    assert error_at(refused, "metadata") == (
        'Metadata was changed to {"team": "payments"} by dana@acme.example less than a minute ago.'
    )
    assert "{&quot;tier&quot;: 1}</textarea>" in text_of(refused)
    assert ticked(refused, "member_frontdoor"), "an untouched field shows its present value"
    assert _stored(hub).metadata == {"team": "payments"}

    again = console.send(_page(hub), refused, SHOWN | {"metadata": '{"tier": 1}', "member_frontdoor": "on"})
    assert again["Location"] == _page(hub)
    assert _stored(hub).metadata == {"tier": 1}


def test_a_value_that_a_registration_changed_is_refused_with_the_name_of_its_user(console, owner, salesforce):
    org = a_registered_org(owner, salesforce, "ci@acme.example", metadata={"team": "core"})
    page = _page(SalesforceOrg.objects.get())
    stale = console.get(page)
    owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), "metadata": {"team": "payments"}})

    refused = console.send(page, stale, {"metadata": '{"tier": 1}'})

    assert error_at(refused, "metadata") == (
        'Metadata was changed to {"team": "payments"} by owner@acme.example less than a minute ago.'
    )


@pytest.mark.parametrize("text", ['{"team":"core"}', '\r\n{\r\n  "team": "core"\r\n}\r\n'])
def test_metadata_in_another_layout_is_not_a_change(text, console, hub):
    stale = console.get(_page(hub))
    update_org(hub, {"metadata": {"team": "payments"}}, by=DANA)

    console.send(_page(hub), stale, SHOWN | {"metadata": text})

    assert _stored(hub).metadata == {"team": "payments"}


def test_a_number_that_became_a_boolean_is_a_change(console, hub):
    update_org(hub, {"metadata": {"tier": 1}}, by=DANA)

    console.post(_page(hub), SHOWN | {"metadata": '{"tier": true}'})

    assert _stored(hub).metadata == {"tier": True}
    assert [row.value for row in hub.metadata_rows.all()] == ["true"]
    assert list(AuditEvent.objects.filter(action="org.changed").latest("id").changes or ()) == ["metadata.tier"]


def test_clearing_dev_hub_does_not_take_a_default_that_was_set_meanwhile(console, hub, other):
    stale = console.get(_page(other))
    update_org(other, {"is_default": True}, by=DANA)

    refused = console.send(_page(other), stale, {"metadata": "{}"})

    assert "other@acme.example is the default DevHub." in error_at(refused, "is_default")
    assert ticked(refused, "is_default")
    assert _default() == ["other@acme.example"]


def test_after_another_error_a_change_by_somebody_else_is_still_refused(console, hub, other):
    stale = console.get(_page(hub))
    entry = {"metadata": '{"tier": 1}', "is_default": "on"}
    refused = console.send(_page(hub), stale, entry)
    assert "hub@acme.example is the default DevHub." in error_at(refused, "is_default")
    update_org(hub, {"metadata": {"team": "payments"}}, by=DANA)

    again = console.send(_page(hub), refused, SHOWN | {"metadata": '{"tier": 1}'})

    assert "Metadata was changed to" in error_at(again, "metadata")
    assert _stored(hub).metadata == {"team": "payments"}


def test_an_org_that_was_deleted_meanwhile_is_not_found(console, hub):
    stale = console.get(_page(hub))
    hub.delete()

    assert console.send(_page(hub), stale, SHOWN).status_code == 404


def test_the_audit_names_the_new_default_and_the_former_one(hub, other):
    update_org(other, {"is_default": True}, by=DANA)

    rows = AuditEvent.objects.filter(action="org.changed").order_by("-id")[:2]
    assert {row.target_label: row.changes for row in rows} == {
        "hub@acme.example": {"isDefault": {"before": True, "after": False}},
        "other@acme.example": {"isDefault": {"before": False, "after": True}},
    }


def test_an_action_acts_on_the_present_state(console, hub, other):
    page = console.get(ORGS)
    update_org(other, {"is_dev_hub": False}, by=DANA)

    console.send(ORGS, page, {"action": "make_default", "_selected_action": other.pk})

    assert "Only a DevHub can be the default DevHub." in text_of(console.get(ORGS))
    assert _default() == ["hub@acme.example"]


# --- Deletion ----------------------------------------------------------------------------------------


def _child(owner, salesforce, parent: SalesforceOrg, username: str) -> None:
    a_registered_org(owner, salesforce, username)
    SalesforceOrg.objects.filter(username=username).update(parent=parent)


def test_an_org_that_was_added_below_meanwhile_is_not_deleted_without_being_shown(console, owner, salesforce, hub):
    _child(owner, salesforce, hub, "dev1@acme.example")
    delete = f"{ORGS}{hub.pk}/delete/"
    stale = console.get(delete)
    _child(owner, salesforce, hub, "dev2@acme.example")

    refused = console.send(delete, stale, {"cascade": "on"})

    assert SalesforceOrg.objects.count() == 3
    assert "hub@acme.example is the parent of: dev2@acme.example." in text_of(refused)
    assert not ticked(refused, "cascade")

    console.send(delete, refused, {"cascade": "on"})
    assert not SalesforceOrg.objects.exists()


def test_a_first_child_that_was_added_meanwhile_is_shown_with_its_box(console, owner, salesforce, hub):
    delete = f"{ORGS}{hub.pk}/delete/"
    stale = console.get(delete)
    _child(owner, salesforce, hub, "dev1@acme.example")

    refused = console.send(delete, stale)

    assert "dev1@acme.example" in text_of(refused)
    assert not ticked(refused, "cascade")
    assert SalesforceOrg.objects.count() == 2


def test_children_of_children_are_listed_before_they_are_deleted(console, owner, salesforce, hub, other):
    SalesforceOrg.objects.filter(pk=other.pk).update(parent=hub)
    _child(owner, salesforce, other, "dev1@acme.example")

    assert "dev1@acme.example" in text_of(console.get(f"{ORGS}{hub.pk}/delete/"))


# --- At the same moment ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_change_metadata_at_once_one_is_told(a_person, hub):
    visitors = [Visitor().sign_in(a_person(f"{name}@acme.example", Role.OWNER)) for name in ("olga", "dana")]
    for turn in range(10):
        update_org(hub, {"metadata": {"turn": turn}}, by=DANA)
        pages = [visitor.get(_page(hub)) for visitor in visitors]
        wanted = [{"by": "olga"}, {"by": "dana"}]
        texts = ['{"by": "olga"}', '{"by": "dana"}']

        responses = run_together(
            [
                partial(visitor.send, _page(hub), page, SHOWN | {"metadata": text})
                for visitor, page, text in zip(visitors, pages, texts, strict=True)
            ]
        )

        saved = [response.status_code == 302 for response in responses]
        assert sorted(saved) == [False, True]
        assert _stored(hub).metadata == wanted[saved.index(True)]
        assert "Metadata was changed to" in error_at(responses[saved.index(False)], "metadata")

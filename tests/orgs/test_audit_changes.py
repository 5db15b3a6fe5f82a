"""The audit holds what a change of an org, or of the default DevHub, set before and after."""

from typing import Any

import pytest

from authn.models import AuditEvent
from tests.orgs.factories import ORG, REGISTER, a_registered_org

pytestmark = pytest.mark.django_db
HUB = "hub@acme.example"


def _changes(action: str, label: str) -> list[Any]:
    return list(
        AuditEvent.objects.filter(action=action, target_label=label).order_by("pk").values_list("changes", flat=True)
    )


def test_a_registration_has_the_settings_that_it_set(hub):
    [changes] = _changes("org.registered", HUB)

    assert changes["isDevHub"] == {"before": False, "after": True}
    assert changes["isDefault"] == {"before": False, "after": True}
    assert changes["username"] == {"before": "", "after": HUB}
    assert "memberFrontdoor" not in changes


@pytest.mark.database
def test_the_org_that_loses_the_default_has_a_row_of_its_own(owner, salesforce, hub, subtests):
    with subtests.test("by a change"):
        a_registered_org(owner, salesforce, "second@acme.example", isDevHub=True)
        owner.patch(ORG, {"isDefault": True}, username="second@acme.example")

        assert _changes("org.changed", "second@acme.example") == [{"isDefault": {"before": False, "after": True}}]
        assert _changes("org.changed", HUB) == [{"isDefault": {"before": True, "after": False}}]

    with subtests.test("by a registration"):
        a_registered_org(owner, salesforce, "third@acme.example", isDevHub=True, isDefault=True)

        lost = {"isDefault": {"before": True, "after": False}}
        assert _changes("org.changed", "second@acme.example")[1:] == [lost]


def test_what_members_may_open_is_in_the_audit_before_and_after(owner, hub):
    owner.patch(ORG, {"metadata": {"team": "core"}}, username=HUB)
    owner.patch(ORG, {"metadata": {"team": "payments"}, "isDevHub": False}, username=HUB)

    assert _changes("org.changed", HUB) == [
        {"metadata.team": {"before": None, "after": "core"}},
        {
            "isDevHub": {"before": True, "after": False},
            "isDefault": {"before": True, "after": False},
            "metadata.team": {"before": "core", "after": "payments"},
        },
    ]


def test_registering_an_org_again_records_what_it_changed_only(owner, urls):
    owner.post(REGISTER, {"sfdxAuthUrl": urls["hub"], "metadata": {"team": "core"}})

    assert _changes("org.registered", HUB)[1:] == [{"metadata.team": {"before": None, "after": "core"}}]

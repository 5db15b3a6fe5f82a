"""A page of a user that was opened before somebody else changed the user."""

from datetime import timedelta
from functools import partial

import pytest
from django.db.models import F

from authn.models import AuditEvent, User
from authn.principals import Principal, system
from authn.roles import Role
from authn.users import update_user
from tests.support.browser_client import Visitor, error_at, shown_in, text_of, ticked
from tests.support.concurrency import run_together

pytestmark = pytest.mark.django_db
USERS = "/console/authn/user/"
DANA = Principal(kind="user", id="d", name="dana@acme.example", role=Role.OWNER)


@pytest.fixture
def console(a_person) -> Visitor:
    return Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))


@pytest.fixture
def mia(a_person) -> User:
    return a_person("mia@acme.example")


def _page(user: User) -> str:
    return f"{USERS}{user.pk}/change/"


def _stored(user: User) -> tuple[str, bool]:
    user.refresh_from_db()
    return user.role, user.is_active


@pytest.mark.database
def test_a_stale_page_does_not_reactivate_a_user(console, mia):
    stale = console.get(_page(mia))
    update_user(mia, by=DANA, is_active=False)

    response = console.send(_page(mia), stale, {"role": "owner", "is_active": "on"})

    assert response["Location"] == USERS
    assert _stored(mia) == ("owner", False)


@pytest.mark.database
def test_a_stale_page_does_not_restore_a_role(console, mia):
    stale = console.get(_page(mia))
    update_user(mia, by=DANA, role=Role.OWNER)

    console.send(_page(mia), stale, {"role": "member"})

    assert _stored(mia) == ("owner", False)


def test_after_a_save_the_page_says_what_others_changed_meanwhile(console, mia):
    stale = console.get(_page(mia))
    update_user(mia, by=DANA, role=Role.OWNER)

    console.send(_page(mia), stale, {"role": "member"})

    shown = text_of(console.get(USERS))
    assert "mia@acme.example was updated." in shown
    assert "Meanwhile Role was changed to <code>owner</code> by dana@acme.example less than a minute ago." in shown


@pytest.mark.database
def test_a_value_that_changed_meanwhile_is_refused_and_the_page_says_who_changed_it(console, mia):
    update_user(mia, by=system("migration"), role=Role.OWNER)
    stale = console.get(_page(mia))
    update_user(mia, by=DANA, role=Role.MEMBER)
    update_user(mia, by=system("nightly"), is_active=False)

    refused = console.send(_page(mia), stale, {"role": "member", "is_active": "on"})

    assert refused.status_code == 200
    assert error_at(refused, "role") == "Role was changed to member by dana@acme.example less than a minute ago."
    assert "Nothing was saved, because values changed after this page was shown." in text_of(refused)
    assert not ticked(refused, "is_active"), "an untouched field shows its present value"
    assert _stored(mia) == ("member", False)


def test_the_page_says_how_long_ago_a_value_was_changed(console, mia):
    stale = console.get(_page(mia))
    update_user(mia, by=DANA, is_active=False)
    _age_the_audit(minutes=3)

    refused = console.send(_page(mia), stale, {"role": "member"})

    assert error_at(refused, "is_active") == "Active was switched off by dana@acme.example 3 minutes ago."


def _age_the_audit(*, minutes: int) -> None:
    AuditEvent.objects.update(at=F("at") - timedelta(minutes=minutes))


def test_without_an_audit_row_the_present_value_is_shown(console, mia):
    stale = console.get(_page(mia))
    User.objects.filter(pk=mia.pk).update(is_active=False)

    refused = console.send(_page(mia), stale, {"role": "member"})

    assert error_at(refused, "is_active") == "Active was switched off."


@pytest.mark.database
def test_a_second_save_with_knowledge_of_the_change_works(console, mia):
    update_user(mia, by=DANA, role=Role.OWNER)
    stale = console.get(_page(mia))
    update_user(mia, by=DANA, role=Role.MEMBER)
    refused = console.send(_page(mia), stale, {"role": "member", "is_active": "on"})

    response = console.send(_page(mia), refused, {"role": "owner", "is_active": "on"})

    assert response["Location"] == USERS
    assert _stored(mia) == ("owner", True)


def test_a_save_without_a_change_writes_nothing(console, mia):
    response = console.post(_page(mia), {"role": "member", "is_active": "on"})

    assert response["Location"] == USERS
    assert "Nothing was changed in mia@acme.example." in text_of(console.get(USERS))
    assert not AuditEvent.objects.filter(action="person.changed").exists()


@pytest.mark.parametrize("shown", [{}, {"shown-role": '"member"', "shown-is_active": "x"}, {"shown-role": "[" * 9999}])
def test_a_request_that_does_not_say_what_was_shown_changes_nothing(shown, a_person, mia):
    visitor = Visitor(enforce_csrf=False).sign_in(a_person("olga@acme.example", Role.OWNER))

    response = visitor.client.post(_page(mia), {"role": "owner", **shown})

    assert response["Location"] == _page(mia)
    assert "This page was out of date, so nothing was saved." in text_of(visitor.get(_page(mia)))
    assert _stored(mia) == ("member", True)


def test_the_audit_has_the_values_before_and_after(console, mia):
    console.post(_page(mia), {"role": "owner", "is_active": "on"})

    changes = AuditEvent.objects.get(action="person.changed").changes
    assert changes == {"role": {"before": "member", "after": "owner"}}


# --- At the same moment ------------------------------------------------------------------------------


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_change_the_same_value_at_once_one_is_told(a_person, mia):
    visitors = [Visitor().sign_in(a_person(f"{name}@acme.example", Role.OWNER)) for name in ("olga", "dana")]
    for _ in range(10):
        update_user(mia, by=DANA, role=Role.MEMBER, is_active=True)
        pages = [visitor.get(_page(mia)) for visitor in visitors]

        responses = run_together(
            [
                partial(visitor.send, _page(mia), page, {"role": "owner", "is_active": "on"})
                for visitor, page in zip(visitors, pages, strict=True)
            ]
        )

        refused = [response for response in responses if response.status_code == 200]
        assert len(refused) == 1
        assert "Role was changed to owner by" in error_at(refused[0], "role")
        assert _stored(mia) == ("owner", True)


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_two_owners_who_change_different_values_at_once_both_save(a_person, mia):
    visitors = [Visitor().sign_in(a_person(f"{name}@acme.example", Role.OWNER)) for name in ("olga", "dana")]
    for _ in range(10):
        update_user(mia, by=DANA, role=Role.MEMBER, is_active=True)
        pages = [visitor.get(_page(mia)) for visitor in visitors]
        changes = [{"role": "owner", "is_active": "on"}, {"role": "member"}]

        responses = run_together(
            [
                partial(visitor.send, _page(mia), page, change)
                for visitor, page, change in zip(visitors, pages, changes, strict=True)
            ]
        )

        assert [response.status_code for response in responses] == [302, 302]
        assert _stored(mia) == ("owner", False)
        assert set(shown_in(text_of(pages[0]))) == {"shown-role", "shown-is_active"}

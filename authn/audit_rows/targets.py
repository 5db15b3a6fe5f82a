"""The target of an audited action: the user, token, org, pool instance or setting that it was done to."""

from dataclasses import dataclass

from authn.audit_actions import TargetKind


@dataclass(frozen=True, slots=True)
class Target:
    """What an action was done to.

    `id` is the primary key of its row, as text, or "" for one that the desk has not stored. `label` is its
    e-mail, username or name at the time of the action, which the audit shows after the row is deleted.
    """

    kind: TargetKind
    id: str
    label: str


def org_named(name: str) -> Target | None:
    """Return an org that is known by a username or sandbox name only; None for an empty name."""
    return Target(TargetKind.ORG, "", name) if name else None


def person_named(name: str) -> Target:
    """Return a user who is known only by the name that was submitted."""
    return Target(TargetKind.PERSON, "", name)


def setting(name: str) -> Target:
    """Return a setting of the desk."""
    return Target(TargetKind.SETTING, name, name)

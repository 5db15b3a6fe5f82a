"""Which rows own a credential. The engine knows an owner by this protocol alone.

A model that holds a credential links to it by a one-to-one field and registers itself once, below
its class. The engine then finds owners, and orphans, without knowing the apps above it.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, cast

from django.db import models

from authn.audit_rows.targets import Target


class CredentialOwner(Protocol):
    """A row that owns at most one credential. `org_id` is empty until Salesforce has returned it."""

    org_id: str
    username: str
    instance_url: str
    credential_id: uuid.UUID | None

    @property
    def pk(self) -> object:
        """The primary key."""

    @property
    def audit_target(self) -> Target:
        """The row as the target of an audited action."""

    def update_details(self, **details: str) -> None:
        """Store `org_id`, `username` or `instance_url` as Salesforce returned them. Writes no other column."""

    def delete(self) -> object:
        """Delete the row. Its credential stays."""


@dataclass(frozen=True, slots=True)
class OwnerType:
    """A model whose rows own credentials, by its one-to-one field `credential`.

    `accessor` leads from a credential to its owner. `parent_field` names the foreign key to the org that
    the row is reached through; `blocks_deletion` says that such an org is deleted only with the caller's
    consent (`cascade`).
    """

    model: type[models.Model]
    accessor: str
    parent_field: str
    blocks_deletion: bool

    def reached_through(self, org: models.Model) -> list[CredentialOwner]:
        """Return the rows of this model that are reached through an org."""
        return self._owners(**{self.parent_field: org})

    def reload(self, owner: CredentialOwner) -> CredentialOwner | None:
        """Return a row as the database has it, None if it was deleted."""
        return next(iter(self._owners(pk=owner.pk)), None)

    def _owners(self, **conditions: object) -> list[CredentialOwner]:
        return cast("list[CredentialOwner]", list(self.model._default_manager.filter(**conditions)))


_owner_types: list[OwnerType] = []


def register_owner(model: type[models.Model], *, accessor: str, parent_field: str, blocks_deletion: bool) -> None:
    """Register a model whose rows own credentials."""
    _owner_types.append(OwnerType(model, accessor, parent_field, blocks_deletion))


def owner_types() -> Iterator[OwnerType]:
    """Yield the registered models."""
    yield from _owner_types


def accessors() -> list[str]:
    """Return the names under which a credential finds its owner, for `select_related`."""
    return [owner.accessor for owner in _owner_types]


def owner_of(credential: models.Model) -> CredentialOwner | None:
    """Return the row that owns a credential, None for an orphan."""
    return next((owner for name in accessors() if (owner := getattr(credential, name, None))), None)


def share_owner(source: models.Model, target: models.Model) -> bool:
    """Give `target`, another copy of the same credential, the owner that `source` was loaded with.

    Returns False if `source` was loaded without its owner.
    """
    relations = [target._meta.get_field(name) for name in accessors()]
    loaded = [
        relation for relation in relations if isinstance(relation, models.OneToOneRel) and relation.is_cached(source)
    ]
    for relation in loaded:
        relation.set_cached_value(target, relation.get_cached_value(source))
    return any(relation.get_cached_value(source) for relation in loaded)


def reload(owner: CredentialOwner) -> CredentialOwner | None:
    """Return an owner as the database has it, None if it was deleted."""
    return next(kind.reload(owner) for kind in _owner_types if isinstance(owner, kind.model))


def unlink_other_owners(credential: models.Model, owner: models.Model) -> None:
    """Unlink a credential from every row but `owner`. Call it in the transaction that links it."""
    for owner_type in _owner_types:
        holders = owner_type.model._default_manager.filter(credential=credential)
        if isinstance(owner, owner_type.model):
            holders = holders.exclude(pk=owner.pk)
        holders.update(credential=None)

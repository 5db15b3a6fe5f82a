"""The pages and the audit of targets: which rows are about one, and where its page is.

Each app registers the models of its targets in its admin module.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.urls import reverse

from authn.audit_actions import TargetKind
from authn.audit_rows.targets import Target
from authn.models import AuditEvent

# A kind and an id.
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Page:
    model: type[Model]
    has_unique_label: bool


_pages: dict[str, _Page] = {}


def add_target_page(kind: TargetKind, model: type[Model], *, has_unique_label: bool) -> None:
    """Register the model of a kind of target, whose admin page has Django's usual URL.

    `has_unique_label` says that rows with the label of a target are about it even if they have another id or none: an
    org that was registered again, or a log-in that was refused.
    """
    _pages[kind] = _Page(model, has_unique_label)


def audit_of(target: Target) -> str:
    """Return the URL of the audit of a target: what was done to it."""
    return _list_url(target=f"{target.kind}:{target.id}")


def activity_of(actor: Target) -> str:
    """Return the URL of the audit rows of a user or application token: what it did."""
    return _list_url(actor=actor.id)


def rows_about(kind: str, identifier: str) -> Q:
    """Return the condition for rows about a target; for no row without an id."""
    if not identifier:
        return Q(pk__in=[])
    condition = Q(target_id=identifier)
    page = _pages.get(kind)
    if page is not None and page.has_unique_label and (label := label_of(kind, identifier)):
        condition |= Q(target_label__iexact=label)
    return condition & Q(target_kind=kind)


def label_of(kind: str, identifier: str) -> str:
    """Return the present label of a target, else its last one in the audit; "" for an unknown one."""
    row: Any = _stored(kind, [identifier]).first() if kind in _pages else None
    if row is not None:
        return str(row.audit_target.label)
    rows = (
        AuditEvent.objects.filter(target_kind=kind, target_id=identifier) if identifier else AuditEvent.objects.none()
    )
    return rows.order_by("-at").values_list("target_label", flat=True).first() or ""


def page_urls(events: Iterable[AuditEvent]) -> dict[_Key, str]:
    """Return the URLs of the pages of the targets that still exist, with one query for each kind."""
    ids: dict[str, set[str]] = {}
    for event in events:
        if event.target_kind in _pages and event.target_id:
            ids.setdefault(event.target_kind, set()).add(event.target_id)
    return {
        (kind, str(key)): reverse(_url_name(_pages[kind].model, "change"), args=[key])
        for kind, wanted in ids.items()
        for key in _stored(kind, wanted).values_list("pk", flat=True)
    }


def _stored(kind: str, identifiers: Iterable[str]) -> QuerySet[Model]:
    model = _pages[kind].model
    return model._default_manager.filter(pk__in=[key for key in identifiers if _is_key(model, key)])


def _is_key(model: type[Model], text: str) -> bool:
    try:
        model._meta.pk.clean(text, None)
    except ValidationError:
        return False
    return True


def _list_url(**query: str) -> str:
    return f"{reverse(_url_name(AuditEvent, 'changelist'))}?{urlencode(query)}"


def _url_name(model: type[Model], view: str) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}"

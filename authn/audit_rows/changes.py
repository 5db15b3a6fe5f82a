"""What a change did: the value of each changed field before and after it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from authn.audit_rows.fingerprints import fingerprinted
from authn.database.shown_values import same
from authn.web.safe_text import escaped
from authn.web.secret_text import looks_like_a_secret

# A JSON value.
Value = str | int | float | None | Sequence["Value"] | Mapping[str, "Value"]
# Field names, as the API spells them, and values.
Fields = Mapping[str, object]
# By field name: `{"before": ..., "after": ...}`.
Changes = dict[str, dict[str, Value]]

MAX_TEXT_LENGTH = 500


def changes(before: Fields, after: Fields) -> Changes:
    """Return the fields whose values differ. A field that is missing on one side is None there.

    A field that is a JSON object is compared key by key, as `field.key`. Keys and texts that look like a secret
    are replaced by a fingerprint, and long values are cut at MAX_TEXT_LENGTH characters.
    """
    old, new = _flat(before), _flat(after)
    names = [*old, *(name for name in new if name not in old)]
    return {
        escaped(name): {"before": _storable(old.get(name)), "after": _storable(new.get(name))}
        for name in names
        if not same(old.get(name), new.get(name))
    }


def is_changed(field: str, found: Changes | None) -> bool:
    """Return True if a field, or a key of one that is a JSON object, is among the changes of an audit row."""
    return any(name == field or name.startswith(f"{field}.") for name in found or ())


def _flat(fields: Fields) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in fields.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{_key(key)}": item for key, item in value.items()}
        else:
            flat[name] = value
    return flat


def _key(text: str) -> str:
    return fingerprinted(text) if looks_like_a_secret(text) else text


def _storable(value: object) -> Value:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if looks_like_a_secret(text):
        return fingerprinted(text)
    return escaped(text if len(text) <= MAX_TEXT_LENGTH else f"{text[:MAX_TEXT_LENGTH]}…")

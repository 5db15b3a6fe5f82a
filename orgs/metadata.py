"""Metadata of orgs: its limits, the index of its scalar values, and the grammar of the list filter."""

import json
import re

from django.core.exceptions import ValidationError

from authn.web.safe_text import is_safe_text
from authn.web.strict_json import NotStrictJSON, is_storable, read_json
from orgs.models import OrgMetadata, SalesforceOrg

MAX_KEY_LENGTH = 100
MAX_STRING_LENGTH = 500
MAX_BYTES = 65_536
MAX_FILTER_PAIRS = 20
_MAX_INDEXED_BYTES = 2_000  # An index row of PostgreSQL holds 2,704, of which the key takes up to 400.
_UNSAFE = "contains control or bidirectional formatting characters. Remove them."
_NUMBER_OR_BOOLEAN = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false", re.ASCII)

# A JSON object: names and JSON values.
Metadata = dict[str, object]
# A metadata key and the JSON texts of which the value must be one.
FilterPair = tuple[str, list[str]]


def check_metadata(value: object) -> Metadata:
    """Return the value if it may be stored as metadata. Raises ValidationError."""
    if not isinstance(value, dict):
        raise ValidationError("Metadata must be a JSON object.", code="not_an_object")
    if any(len(key) > MAX_KEY_LENGTH for key in value):
        raise ValidationError(f"A metadata key may have at most {MAX_KEY_LENGTH} characters.", code="key_too_long")
    _refuse_unsafe_text(value)
    text = json.dumps(value)
    if len(text) > MAX_BYTES:
        raise ValidationError(f"Metadata may have at most {MAX_BYTES} bytes.", code="too_large")
    if "force://" in text.lower():
        raise ValidationError("Metadata contains an auth URL, and members can read metadata. Remove it.", code="secret")
    return value


def _refuse_unsafe_text(value: object) -> None:
    """Raise ValidationError for control characters in keys and values at any depth; values may have line breaks."""
    if isinstance(value, str) and not is_safe_text(value, lines=True):
        raise ValidationError(f"A metadata value {_UNSAFE}", code="unsafe_text")
    if isinstance(value, dict) and not all(map(is_safe_text, value)):
        raise ValidationError(f"A metadata key {_UNSAFE}", code="unsafe_text")
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _refuse_unsafe_text(item)


def write_metadata(org: SalesforceOrg, metadata: Metadata) -> None:
    """Replace the index rows of an org's metadata. Call it in the transaction that stores the JSON."""
    org.metadata_rows.all().delete()
    texts = {key: _indexed_text(value) for key, value in metadata.items()}
    OrgMetadata.objects.bulk_create(
        OrgMetadata(org=org, key=key, value=text) for key, text in texts.items() if text is not None
    )


def read_filter(text: str) -> list[FilterPair]:
    """Parse a filter in either documented form: `k=v,k2=v2`, or a JSON object.

    Returns pairs of a key and the JSON texts that match it; an org must match all pairs. A value
    that is not indexed, such as a list, has no texts and matches no org. Raises ValidationError.
    """
    text = text.strip()
    if text.startswith(("{", "[", '"')):
        return _check_filter([(key, _texts(value)) for key, value in _json_object(text).items()])
    pairs: list[FilterPair] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, separator, value = part.partition("=")
        if not separator or not key.strip():
            raise ValidationError("Write key=value,key2=value2 or a JSON object.", code="invalid")
        pairs.append((key.strip(), _readings(value.strip())))
    return _check_filter(pairs)


def _check_filter(pairs: list[FilterPair]) -> list[FilterPair]:
    """Return the pairs. Raises ValidationError for too many, as each costs a subquery, and for impossible keys."""
    if len(pairs) > MAX_FILTER_PAIRS:
        raise ValidationError(f"A filter may have at most {MAX_FILTER_PAIRS} pairs.", code="too_many")
    if not all(is_storable(key) for key, _ in pairs):
        raise ValidationError("A key contains a character that metadata keys cannot contain.", code="invalid")
    return pairs


def _json_object(text: str) -> Metadata:
    try:
        value = read_json(text)
    except NotStrictJSON as error:
        raise ValidationError(str(error), code="invalid") from error
    if not isinstance(value, dict):
        raise ValidationError("The filter must be a JSON object.", code="invalid")
    return value


def _indexed_text(value: object) -> str | None:
    """Return the JSON text under which a value is indexed; None for a value that is stored only."""
    if isinstance(value, dict | list) or (isinstance(value, str) and len(value) > MAX_STRING_LENGTH):
        return None
    text = json.dumps(value, ensure_ascii=False)
    return text if is_storable(text) and len(text.encode()) <= _MAX_INDEXED_BYTES else None


def _texts(value: object) -> list[str]:
    text = _indexed_text(value)
    return [] if text is None else [text]


def _readings(value: str) -> list[str]:
    """Return the JSON texts of an unquoted value: as a string, and as a number or boolean if it is one."""
    texts = _texts(value)
    return [*texts, value] if _NUMBER_OR_BOOLEAN.fullmatch(value) and len(value) < 400 else texts

"""CSV: a row of names and a row of values; lists, maps and nested DTOs are written as JSV.

ServiceStack itself writes only the first list of a DTO and fails without one, which no client can
read. This codec writes every DTO as ServiceStack writes its ErrorResponse.
"""

import csv
import io

from authn.servicestack.dtos import Dto, camel_case, is_map, members_by_name, present_members
from authn.servicestack.errors import Unreadable
from authn.servicestack.formats import jsv
from authn.servicestack.formats.values import MAX_UNSPLIT_LENGTH, Budget, required_bool

# Spreadsheets interpret a value that begins with one of these as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def read(text: str, dto: type[Dto]) -> Dto:
    """Parse a DTO; an empty value is absent and an unknown name is ignored. Raises Unreadable."""
    names, row = _rows(text)
    by_name, values = members_by_name(dto), {}
    for name, value in zip(names, row, strict=True):
        found = by_name.get(name.strip().lower())
        if found and value:
            values[found.attribute] = parse_value(value, found.type, found.name)
    return dto(**values)


def write(dto: object) -> str:
    """Serialize a DTO without its absent members."""
    columns = [(camel_case(member.name), value) for member, value in present_members(dto)]
    return "".join(",".join(map(_field, row)) + "\r\n" for row in zip(*columns, strict=True))


def parse_value(text: str, hint: object, member: str) -> object:
    """Return a value from a CSV, query or form field of the given type. Raises Unreadable."""
    if hint is bool:
        return required_bool(text, member)
    if is_map(hint):
        if not text.lstrip().startswith("{"):
            raise Unreadable(f"{member} must be an object in JSV.", member)
        try:
            return jsv.decode(text, hint)
        except Unreadable as error:
            raise Unreadable(str(error), member) from error
    return text


def _rows(text: str) -> tuple[list[str], list[str]]:
    # csv.reader yields only complete rows, which is too late to count their values.
    if text.count(",") > MAX_UNSPLIT_LENGTH:
        raise Unreadable(f"The CSV holds more than {MAX_UNSPLIT_LENGTH} commas.")
    budget, rows = Budget(), []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), strict=True):
            budget.spend(1 + len(row))
            if row:
                rows.append(row)
    except csv.Error as error:
        raise Unreadable("This is not valid CSV.") from error
    if len(rows) != 2 or len(rows[0]) != len(rows[1]):
        raise Unreadable("The CSV must be one row of names and one row of the same number of values.")
    return rows[0], rows[1]


def _field(value: object) -> str:
    text = value if isinstance(value, str) else jsv.write(value)
    if text.startswith(_FORMULA):
        text = f"'{text}"
    if any(character in text for character in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text

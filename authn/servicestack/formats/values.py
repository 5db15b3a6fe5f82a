"""Booleans as text, and the limits of depth and size, for every format."""

from authn.servicestack.errors import Unreadable

# Far above what any client sends. The size of a body in bytes is limited before it is parsed.
MAX_DEPTH = 32
MAX_VALUES = 1000
# The limit of input that a parser consumes in one piece, before its values can be counted.
MAX_UNSPLIT_LENGTH = 50_000

_TRUE = frozenset({"1", "t", "T", "y", "Y", "on"})
_FALSE = frozenset({"0", "f", "F", "n", "N"})


def parse_bool(text: str) -> bool | None:
    """Return the boolean that a text spells, or None."""
    if text in _TRUE or text.lower() == "true":
        return True
    if text in _FALSE or text.lower() == "false":
        return False
    return None


def required_bool(text: str, member: str) -> bool:
    """Return the boolean that a text spells. Raises Unreadable."""
    value = parse_bool(text.strip())
    if value is None:
        raise Unreadable(f"{member} must be true or false.", member)
    return value


class Budget:
    """Counts the values of one body and refuses more than MAX_VALUES."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def spend(self, values: int = 1) -> None:
        """Count values. Raises Unreadable above the limit."""
        self._left -= values
        if self._left < 0:
            raise Unreadable(f"The body holds more than {MAX_VALUES} values.")


def check_depth(depth: int) -> None:
    """Raise Unreadable if values are nested deeper than MAX_DEPTH levels."""
    if depth > MAX_DEPTH:
        raise Unreadable(f"The body is nested deeper than {MAX_DEPTH} levels.")

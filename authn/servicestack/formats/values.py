"""How single values are spelt in any of the formats, and how large a text may be."""

from authn.servicestack.errors import Unreadable

# What no client of this service comes near. A body is bounded in bytes before it gets here.
MAX_DEPTH = 32
MAX_VALUES = 1000
# For what a parser takes in one piece, before anybody can count what is in it.
MAX_STRETCH = 50_000

_TRUE = frozenset({"1", "t", "T", "y", "Y", "on"})
_FALSE = frozenset({"0", "f", "F", "n", "N"})


def truth(text: str) -> bool | None:
    """Return what a text says as a boolean, None when it says neither."""
    if text in _TRUE or text.lower() == "true":
        return True
    if text in _FALSE or text.lower() == "false":
        return False
    return None


def must_be_truth(text: str, member: str) -> bool:
    """Return what a text says as a boolean. Raises Unreadable."""
    said = truth(text.strip())
    if said is None:
        raise Unreadable(f"{member} must be true or false.", member)
    return said


class Budget:
    """Counts the values of one text, and refuses more than MAX_VALUES of them."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def spend(self, values: int = 1) -> None:
        """Count some more values. Raises Unreadable."""
        self._left -= values
        if self._left < 0:
            raise Unreadable(f"The body holds more than {MAX_VALUES} values.")


def check_depth(depth: int) -> None:
    """Refuse what is nested deeper than MAX_DEPTH levels. Raises Unreadable."""
    if depth > MAX_DEPTH:
        raise Unreadable(f"The body is nested deeper than {MAX_DEPTH} levels.")

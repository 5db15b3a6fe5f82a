"""Runs many cases over one world: after each, database and emulated Salesforce are as they were before."""

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.db import transaction

from orgs.salesforce.emulator import Emulator

Each = Callable[[str], AbstractContextManager[None]]
_CONTAINERS = (list, dict, set)


@contextmanager
def undone(world: Emulator) -> Iterator[None]:
    """Undo what the block changes, whatever it changes."""
    before = list(_objects(world, set()))
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)
            for thing, attributes in before:
                vars(thing).clear()
                vars(thing).update({name: _copied(value) for name, value in attributes.items()})


def _objects(thing: Any, seen: set[int]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield each object of the emulator that can be reached, with its attributes."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, dict):
        things = [*thing.values()]
    elif isinstance(thing, list | set | tuple):
        things = [*thing]
    elif type(thing).__module__.startswith("orgs.salesforce.emulator") and hasattr(thing, "__dict__"):
        yield thing, {name: _copied(value) for name, value in vars(thing).items()}
        things = [*vars(thing).values()]
    else:
        return
    for each in things:
        yield from _objects(each, seen)


def _copied(value: Any) -> Any:
    return copy.copy(value) if isinstance(value, _CONTAINERS) else value

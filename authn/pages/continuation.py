"""What can lie behind /auth/continue: actions, each registered by the app that does it.

A continue link is stable and holds no secret, so it fits into a pull request or a chat. What it
leads to is made only when somebody who may have it follows it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from django.urls import reverse

from authn.errors import ContinuationRefused
from authn.principals import Principal

MAX_PARAMS_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Action:
    """Something to go on to. `name` is compared without case.

    `check` refuses values by raising ContinuationRefused, and knows nothing of who asks; `run`
    returns the address to go to, or raises an error with a message and what to do.
    `labels` says how the page calls each value, in the order in which it shows them.
    """

    name: str
    title: str
    required: tuple[str, ...]
    labels: Mapping[str, str]
    check: Callable[[Mapping[str, str]], None]
    run: Callable[[Mapping[str, str], Principal], str]


@dataclass(frozen=True, slots=True)
class Continuation:
    """An action with its values, as a link names them."""

    action: Action
    params: Mapping[str, str]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Return what the page says of it: names and values, none of which has been looked up."""
        return [(label, self.params[key]) for key, label in self.action.labels.items() if key in self.params]

    def run(self, by: Principal) -> str:
        """Return the address to go to."""
        return self.action.run(self.params, by)


_actions: dict[str, Action] = {}


def add_action(action: Action) -> None:
    """Put an action behind /auth/continue. Call it in AppConfig.ready."""
    _actions[action.name.lower()] = action


def read(action: str, params: str) -> Continuation:
    """Read what a link says. Raises ContinuationRefused: an unknown action, a duplicate, missing or bad value."""
    known = _actions.get(action.strip().lower())
    if known is None:
        raise ContinuationRefused("This link names an action that this desk does not know.")
    values = _pairs(params)
    if unknown := set(values) - set(known.labels):
        raise ContinuationRefused(f"This link has a part that is not understood: {', '.join(sorted(unknown))[:100]}.")
    if missing := [name for name in known.required if not values.get(name)]:
        raise ContinuationRefused(f"This link lacks a part: {', '.join(missing)}.")
    known.check(values)
    return Continuation(known, values)


def address(action: str, **params: str) -> str:
    """Return the path of a continue link; values that are empty are left out."""
    pairs = ",".join(f"{key}:{value}" for key, value in params.items() if value)
    return f"{reverse('continue')}?action={quote(action)}&params={quote(pairs, safe=':,/@')}"


def _pairs(text: str) -> dict[str, str]:
    """Split at commas, then each pair at its first colon: values may hold further ones."""
    if len(text) > MAX_PARAMS_LENGTH:
        raise ContinuationRefused("This link is too long.")
    values: dict[str, str] = {}
    for pair in filter(None, text.split(",")):
        key, found, value = pair.partition(":")
        if not found:
            raise ContinuationRefused("This link has a part without a name.")
        if key.strip() in values:
            raise ContinuationRefused("This link names one thing twice.")
        values[key.strip()] = value.strip()
    return values

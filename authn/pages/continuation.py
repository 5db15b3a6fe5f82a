"""Continue links and the actions behind them, each registered by the app that runs it.

A continue link is stable and contains no secret, so it can be posted in a pull request or a chat. Its target
is created only when an authorized user follows the link.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from django.http import QueryDict
from django.urls import reverse

from authn.errors import ContinuationRefused
from authn.principals import Principal
from authn.serializers import displayable_names

MAX_PARAMS_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Action:
    """An action of continue links. `name` is compared without case.

    `check` raises ContinuationRefused for invalid parameters, before the user is known. `run` returns the
    URL to redirect to, or raises a DomainError. `labels` are the page's labels of the parameters, in order.
    """

    name: str
    title: str
    required: tuple[str, ...]
    labels: Mapping[str, str]
    check: Callable[[Mapping[str, str]], None]
    run: Callable[[Mapping[str, str], Principal], str]


@dataclass(frozen=True, slots=True)
class Continuation:
    """An action with the parameters of a link."""

    action: Action
    params: Mapping[str, str]

    @property
    def details(self) -> list[tuple[str, str]]:
        """Return the labels and values that the page shows; the values come from the link and are unverified."""
        return [(label, self.params[key]) for key, label in self.action.labels.items() if key in self.params]

    def run(self, by: Principal) -> str:
        """Return the URL to redirect to."""
        return self.action.run(self.params, by)


_actions: dict[str, Action] = {}


def add_action(action: Action) -> None:
    """Register an action. Call it in AppConfig.ready."""
    _actions[action.name.lower()] = action


def read(query: QueryDict) -> Continuation:
    """Parse the query string of a link.

    Raises ContinuationRefused for an unknown action and for unknown, missing, duplicate or invalid parameters.
    """
    if unknown := set(query) - {"action", "params"}:
        raise ContinuationRefused(f"This link has an unknown parameter: {', '.join(displayable_names(unknown))}.")
    if any(len(values) > 1 for _, values in query.lists()):
        raise ContinuationRefused("This link has a duplicate parameter.")
    known = _actions.get(query.get("action", "").strip().lower())
    if known is None:
        raise ContinuationRefused("This link names an unknown action.")
    values = _pairs(query.get("params", ""))
    if unknown := set(values) - set(known.labels):
        raise ContinuationRefused(f"This link has an unknown parameter: {', '.join(sorted(unknown))[:100]}.")
    if missing := [name for name in known.required if not values.get(name)]:
        raise ContinuationRefused(f"This link lacks a parameter: {', '.join(missing)}.")
    known.check(values)
    return Continuation(known, values)


def address(action: str, **params: str) -> str:
    """Return the path of a continue link. Empty parameters are omitted."""
    pairs = ",".join(f"{key}:{value}" for key, value in params.items() if value)
    return f"{reverse('continue')}?action={quote(action)}&params={quote(pairs, safe=':,/@')}"


def _pairs(text: str) -> dict[str, str]:
    """Split at commas, then each pair at its first colon: values may contain colons."""
    if len(text) > MAX_PARAMS_LENGTH:
        raise ContinuationRefused("This link is too long.")
    values: dict[str, str] = {}
    for pair in filter(None, text.split(",")):
        key, found, value = pair.partition(":")
        if not found:
            raise ContinuationRefused("This link has a parameter without a name.")
        if key.strip() in values:
            raise ContinuationRefused("This link has a duplicate parameter.")
        values[key.strip()] = value.strip()
    return values

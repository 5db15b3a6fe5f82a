"""The console page that ends or extends the assignments of pool instances, one or several at a time."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from authn.console.admin_base import ConsoleForm
from authn.principals import Principal
from authn.web.strict_json import NotStrictJSON, read_json
from sandboxes.models import PoolInstance
from sandboxes.pools.assignment import DEFAULT_HOURS, MAX_HOURS, end_assignment, extend_assignment

_NOT_OF_THE_PAGE = "The page was changed before it was sent. Open it again."


class AssignmentsForm(ConsoleForm):
    """Confirms a change of assignments.

    `shown` is the assignment that the page showed for each instance: what was assigned since is not changed.
    """

    shown = forms.CharField(widget=forms.HiddenInput, max_length=65_536)

    def __init__(self, data: QueryDict | None, instances: Iterable[PoolInstance], *, submit_label: str) -> None:
        assignments = {str(row.pk): row.assignment_id for row in instances}
        super().__init__(data, initial={"shown": json.dumps(assignments)})
        self.submit_label = submit_label

    def clean_shown(self) -> dict[str, str]:
        """Return the assignments by the id of their instance. Raises ValidationError for a value that no page sends."""
        try:
            shown = read_json(self.cleaned_data["shown"])
        except NotStrictJSON as error:
            raise ValidationError(_NOT_OF_THE_PAGE) from error
        if not isinstance(shown, dict) or not all(isinstance(value, str) for value in shown.values()):
            raise ValidationError(_NOT_OF_THE_PAGE)
        return shown


class ExtendForm(AssignmentsForm):
    """Asks for how long assignments are extended."""

    hours = forms.IntegerField(
        label="Extend by (hours)",
        min_value=1,
        max_value=MAX_HOURS,
        initial=DEFAULT_HOURS,
        help_text=f"An assignment ends at most {MAX_HOURS // 24} days from now.",
    )


@dataclass(frozen=True, slots=True)
class Operation:
    """What an owner can do with assignments. `run` returns the message of a success, or None if nothing was changed."""

    verb: str
    note: str
    form: type[AssignmentsForm]
    run: Callable[[PoolInstance, AssignmentsForm, Principal], str | None]


def _return(instance: PoolInstance, _form: AssignmentsForm, by: Principal) -> str | None:
    done = end_assignment(instance, return_to_pool=True, by=by)
    return f"{instance.name} was returned to the pool {instance.pool_tag}." if done else None


def _end(instance: PoolInstance, _form: AssignmentsForm, by: Principal) -> str | None:
    done = end_assignment(instance, return_to_pool=False, by=by)
    return f"The assignment of {instance.name} was ended. The instance is expired." if done else None


def _extend(instance: PoolInstance, form: AssignmentsForm, by: Principal) -> str | None:
    row = extend_assignment(instance, hours=form.cleaned_data["hours"], by=by)
    return f"{row.name} is assigned until {row.expires_at:%d %b %Y %H:%M} UTC." if row else None


OPERATIONS = {
    "return": Operation(
        "Return to the pool",
        "The next job can be assigned the instance. The present job or user loses it.",
        AssignmentsForm,
        _return,
    ),
    "end": Operation(
        "End the assignment",
        "The instance expires: no job is assigned it until you make it available again.",
        AssignmentsForm,
        _end,
    ),
    "extend": Operation("Extend the assignment", "", ExtendForm, _extend),
}

"""The first steps of a new desk: what its owner does until developers and CI jobs can use it.

The dashboard and the start page show them to owners until all are done. Apps add steps in their admin modules.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

from authn.models import ApplicationToken, User


@dataclass(frozen=True, slots=True)
class FirstStep:
    """A step, shown in the order of `place`. `url` returns the address of the page where it is done."""

    title: str
    text: str
    url: Callable[[], str]
    is_done: Callable[[], bool]
    place: int


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step as a page shows it."""

    title: str
    text: str
    url: str
    is_done: bool


_steps: list[FirstStep] = [
    FirstStep(
        title="Create an application token",
        text="CI jobs call the API with it. Store it as a secret of the pipeline.",
        url=lambda: reverse("admin:authn_applicationtoken_add"),
        is_done=lambda: ApplicationToken.objects.exists(),
        place=20,
    ),
    FirstStep(
        title="Invite a user",
        text="Members open orgs in the browser. Owners manage this desk, as you do.",
        url=lambda: reverse("admin:authn_user_add"),
        is_done=lambda: User.objects.count() > 1,
        place=30,
    ),
]


def add_first_step(step: FirstStep) -> None:
    """Add a step. Call it while the app's admin module loads."""
    _steps.append(step)


def first_steps() -> list[ShownStep]:
    """Return all steps, in order; an empty list if all are done."""
    ordered = sorted(_steps, key=lambda step: step.place)
    shown = [ShownStep(step.title, step.text, step.url(), step.is_done()) for step in ordered]
    return [] if all(step.is_done for step in shown) else shown

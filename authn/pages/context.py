"""Template context of every page."""

from django.conf import settings
from django.http import HttpRequest


def demo_mode(_request: HttpRequest) -> dict[str, bool]:
    """Return `demo`: whether the desk runs on an emulator, which every page states at its top."""
    return {"demo": settings.DEMO}

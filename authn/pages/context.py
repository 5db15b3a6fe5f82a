"""What every page knows beside its own matter."""

from django.conf import settings
from django.http import HttpRequest


def desk(_request: HttpRequest) -> dict[str, bool]:
    """Tell templates whether this desk is a demo, which each page says at its top."""
    return {"demo": settings.DEMO}

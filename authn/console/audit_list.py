"""The audit's list: pages of a long table without counting it, with links to the targets that still exist."""

from functools import cached_property
from typing import cast

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from authn.console.audit_targets import page_urls
from authn.models import AuditEvent

MAX_LINES = 2000


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # it takes no type argument at run time
    """Counts at most MAX_LINES rows, and offers pages up to there. Filters reach the others."""

    @cached_property
    def count(self) -> int:
        """The number of rows, at most MAX_LINES."""
        return min(self._counted, MAX_LINES)

    @property
    def is_capped(self) -> bool:
        """Return True if there are more rows than the pages show."""
        return self._counted > MAX_LINES

    @cached_property
    def _counted(self) -> int:
        # Ordered as the list is: the database stops after these rows of the same index.
        rows = cast("QuerySet[AuditEvent]", self.object_list)
        return len(rows.values_list("pk")[: MAX_LINES + 1])


class AuditChangeList(ChangeList):
    """Django's list, which knows whether there is more than it shows and where the targets' pages are."""

    is_capped = False
    max_lines = MAX_LINES

    def get_results(self, request: HttpRequest) -> None:
        """Read one page of rows, and the URLs of their targets."""
        super().get_results(request)
        if isinstance(self.paginator, CappedPaginator):
            self.is_capped = self.paginator.is_capped
        events = list(self.result_list)
        urls = page_urls(events)
        for event in events:
            event.page_url = urls.get((event.target_kind, event.target_id), "")
        self.result_list = events

"""How the list of requests stays quick in a ledger of millions: it looks no further than it must.

Days, members, keys, teams and seats have an index; a request id is the key itself. Anything else that narrows or
sorts the list (words, status, door, model, a column's head) makes the database look at row after row, so the list
takes the newest days that hold a bounded number of requests, says so, and leads on to the days before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR
from unfold.views import ChangeList

from accounts.admin.drilldown import DAY, RANGE
from accounts.admin.filters import days_asked
from accounts.models import UsageDay, UsageRecord, UsageStatus
from accounts.reports.window import Window, newest_days

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

_ID_PREFIX = "req_"
_INDEXED = frozenset(f"{name}__id__exact" for name in ("member", "key", "team", "seat"))
_FREE = frozenset({PAGE_VAR, SEARCH_VAR, DAY, ERROR_FLAG, "_changelist_filters"})
# The first column is the time.
_BY_TIME = frozenset({"1", "-1"})
_LONG_AGO = "2000-01-01"


class LedgerList(ChangeList):
    """`window` is set when the list looks at some days only."""

    window: Window | None = None

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[UsageRecord]:
        rows: QuerySet[UsageRecord] = super().get_queryset(request, exclude_parameters)
        if self.params.get("status__exact") == UsageStatus.OPEN:
            # Found by the small index of what is open, whatever their day.
            still_open = UsageRecord.objects.filter(status=UsageStatus.OPEN).order_by().values_list("pk", flat=True)
            return rows.filter(pk__in=list(still_open))
        if not self._is_laborious():
            return rows
        self.window = self._newest_days()
        return rows.filter(self.window.days)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Time is day and id, as in the index: by the id alone, days could only be found by walking to them."""
        return [part for name in super().get_ordering(request, queryset) for part in _in_time(name)]

    @property
    def earlier(self) -> str:
        """Where the same list goes on, when it ended before the first day."""
        if self.window is None or self.window.earlier is None:
            return ""
        asked = days_asked(self.params.get(DAY, ""))
        begin = _LONG_AGO if asked is None else str(asked[0])
        kept = [(name, value) for name, value in self.params.items() if name != DAY]
        return "?" + urlencode([*kept, (DAY, f"{begin}{RANGE}{self.window.earlier}")])

    def _is_laborious(self) -> bool:
        free = _FREE | {ORDER_VAR} if self.params.get(ORDER_VAR) in _BY_TIME else _FREE
        narrowing = self.params.keys() - free
        if self.query and request_id(self.query) is None:
            return True
        return len(narrowing) > 1 or not narrowing <= _INDEXED

    def _newest_days(self) -> Window:
        """The days are those of the filters that have an index; only their rows will be looked at."""
        since, until = days_asked(self.params.get(DAY, "")) or (None, None)
        indexed = {name: self.params[name] for name in _INDEXED & self.params.keys()}
        return newest_days(UsageDay.objects.filter(**indexed), since, until)


def _in_time(name: Any) -> tuple[Any, ...]:
    match name:
        case "id" | "pk":
            return ("day", "id")
        case "-id" | "-pk":
            return ("-day", "-id")
        case _:
            return (name,)


def request_id(text: str) -> UUID | None:
    """Return the request id that somebody pasted: with or without dashes, with or without `req_`."""
    try:
        return UUID(text.strip().lower().removeprefix(_ID_PREFIX))
    except ValueError:
        return None

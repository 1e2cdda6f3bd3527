"""Filters of the lists that look at more than one column."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from accounts.admin.drilldown import DAY, days_in
from accounts.days import this_day
from accounts.models import Door, SeatState, UsageDay

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.functional import _StrOrPromise

_RECENT_DAYS = 30
_RESTING = (SeatState.COOLING, SeatState.EXHAUSTED)


def seat_is(state: str, now: datetime) -> Q:
    """Return the condition that a seat is in `state` now; a rest that is over counts as active."""
    rested = Q(state__in=_RESTING, state_until__lte=now)
    if state == SeatState.ACTIVE:
        return Q(state=SeatState.ACTIVE) | rested
    return Q(state=state) & ~rested if state in _RESTING else Q(state=state)


class SeatStateFilter(DropdownFilter):
    title = _("state")
    parameter_name = "is"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, _StrOrPromise]]:
        return SeatState.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        state = self.value()
        return queryset.filter(seat_is(state, timezone.now())) if state in SeatState.values else queryset


class KeyStateFilter(DropdownFilter):
    title = _("state")
    parameter_name = "is"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, _StrOrPromise]]:
        return [("live", _("live")), ("expired", _("expired")), ("revoked", _("revoked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        ended = Q(expires_at__lte=timezone.now())
        match self.value():
            case "live":
                return queryset.filter(revoked_at=None).exclude(ended)
            case "expired":
                return queryset.filter(ended, revoked_at=None)
            case "revoked":
                return queryset.exclude(revoked_at=None)
            case _:
                return queryset


class DoorFilter(DropdownFilter):
    title = _("door")
    parameter_name = "door"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, _StrOrPromise]]:
        return Door.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(door=self.value()) if self.value() else queryset


class ModelFilter(DropdownFilter):
    """Models that served recent requests; looking through the whole ledger for names would take too long."""

    title = _("model")
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, _StrOrPromise]]:
        recent = UsageDay.objects.filter(day__gt=this_day() - timedelta(days=_RECENT_DAYS)).order_by()
        names = {*recent.values_list("model", flat=True).distinct(), request.GET.get(self.parameter_name, "")}
        return [(name, name) for name in sorted(names) if name]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(served_model=self.value()) if self.value() else queryset


class DayFilter(DropdownFilter):
    """Days in the installation's time zone: a few names for the last ones, or a year, month, day or range of days in
    ISO's form."""

    title = _("day")
    parameter_name = DAY
    column = "day"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, _StrOrPromise]]:
        asked = request.GET.get(self.parameter_name, "")
        known = {value for value, _title in _NAMED}
        return [*_NAMED, (asked, asked)] if asked and asked not in known else _NAMED

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = days_asked(self.value() or "")
        return queryset if days is None else queryset.filter(**{f"{self.column}__range": days})


class LastDayFilter(DayFilter):
    title = _("last day")
    column = "last_day"


_NAMED: list[tuple[str, _StrOrPromise]] = [
    ("today", _("today")),
    ("yesterday", _("yesterday")),
    ("week", _("last 7 days")),
    ("month", _("last 30 days")),
]


def days_asked(text: str) -> tuple[date, date] | None:
    """Return the first and the last day that the day filter's value means; None for no value."""
    today = this_day()
    match text:
        case "":
            return None
        case "today":
            return today, today
        case "yesterday":
            return today - timedelta(days=1), today - timedelta(days=1)
        case "week":
            return today - timedelta(days=6), today
        case "month":
            return today - timedelta(days=29), today
        case _:
            days = days_in(text)
            if days is None:
                raise IncorrectLookupParameters(text)
            return days

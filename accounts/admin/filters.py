"""Filters of the lists that look at more than one column."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from accounts.admin.drilldown import DAY, read_period
from accounts.models import Door, SeatState, UsageRecord

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.functional import _StrOrPromise

_RECENT_ROWS = 20_000
_RESTING = (SeatState.COOLING, SeatState.EXHAUSTED)


def this_day() -> date:
    """Return today in the installation's time zone, the one that decides the day of a ledger row."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


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
        recent = UsageRecord.objects.order_by("-id").values_list("served_model", flat=True)[:_RECENT_ROWS]
        names = {*recent.iterator(), request.GET.get(self.parameter_name, "")}
        return [(name, name) for name in sorted(names) if name]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(served_model=self.value()) if self.value() else queryset


class DayFilter(DropdownFilter):
    """Days in the installation's time zone: a few names for the last ones, or a year, month or day in ISO's form."""

    title = _("day")
    parameter_name = DAY

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, _StrOrPromise]]:
        listed: list[tuple[str, _StrOrPromise]] = [
            ("today", _("today")),
            ("yesterday", _("yesterday")),
            ("week", _("last 7 days")),
            ("month", _("last 30 days")),
        ]
        asked = request.GET.get(self.parameter_name, "")
        known = {value for value, _title in listed}
        return [*listed, (asked, asked)] if asked and asked not in known else listed

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        today = this_day()
        match self.value():
            case None | "":
                return queryset
            case "today":
                return queryset.filter(day=today)
            case "yesterday":
                return queryset.filter(day=today - timedelta(days=1))
            case "week":
                return queryset.filter(day__gt=today - timedelta(days=7), day__lte=today)
            case "month":
                return queryset.filter(day__gt=today - timedelta(days=30), day__lte=today)
            case asked:
                return queryset.filter(day__range=_days_of(asked))


def _days_of(text: str) -> tuple[date, date]:
    period = read_period(text)
    if period is None:
        raise IncorrectLookupParameters(text)
    return period.first, period.last

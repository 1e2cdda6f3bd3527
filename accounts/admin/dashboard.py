"""The console's front page: what today cost, on whom and what, how the seats are, what runs now.

Every number is read from the ledger at the moment of the look and links to the rows it counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.admin.columns import credits_text, whole
from accounts.admin.filters import seat_is, this_day
from accounts.admin.running import running_requests
from accounts.models import Seat, SeatState, UsageRecord, UsageStatus

if TYPE_CHECKING:
    from datetime import date, datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest

_TOP = 5
_SHOWN_RUNNING = 20
_NANO = Coalesce("nano_reported", "nano_computed")
_INPUT = F("input_tokens") + F("cached_tokens") + F("cache_write_tokens")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its name and the list of the rows behind it."""

    title: str
    value: str
    link: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """What one model or member took today."""

    name: str
    link: str
    requests: str
    tokens: str
    credits: str


@dataclass(frozen=True, slots=True)
class Running:
    """A request under way; `seconds` since it was opened."""

    link: str
    member: str
    model: str
    seat: str
    seconds: int


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures of this moment to the context of the index."""
    day, now = this_day(), timezone.now()
    rows = UsageRecord.objects.filter(day=day).order_by()
    running = running_requests()
    return {
        **context,
        "title": _("Overview"),
        "day": day,
        "figures": _today(rows, day),
        "outcomes": _outcomes(rows, day),
        "models": _top_models(rows, day),
        "members": _top_members(rows, day),
        "seats": _seats(now),
        "running": [_running(row, now) for row in running[:_SHOWN_RUNNING]],
        "running_count": running.count(),
        "running_link": requests_link(status__exact=UsageStatus.OPEN),
    }


def requests_link(**filters: object) -> str:
    """Return the address of the list of requests, filtered."""
    return f"{reverse('admin:accounts_usagerecord_changelist')}?{urlencode(filters)}"


def _today(rows: QuerySet[UsageRecord], day: date) -> list[Figure]:
    sums = rows.aggregate(
        requests=Count("pk"),
        failures=Count("pk", filter=Q(status=UsageStatus.FAILED)),
        priced=Count("pk", filter=Q(nano_reported__isnull=False) | Q(nano_computed__isnull=False)),
        spent=Sum(_NANO, default=0),
        cached=Sum("cached_tokens", default=0),
        tokens_in=Sum(_INPUT, default=0),
        tokens_out=Sum("output_tokens", default=0),
    )
    unpriced = sums["requests"] - sums["priced"]
    today = requests_link(day=day)
    return [
        Figure(_("Requests"), whole(sums["requests"]), today),
        Figure(_("Failures"), whole(sums["failures"]), requests_link(day=day, status__exact=UsageStatus.FAILED)),
        Figure(
            _("Credits"),
            credits_text(sums["spent"]),
            today,
            ngettext("%(count)s request without a cost", "%(count)s requests without a cost", unpriced)
            % {"count": whole(unpriced)}
            if unpriced
            else "",
        ),
        Figure(
            _("Tokens in"),
            whole(sums["tokens_in"]),
            today,
            _("%(count)s of them cached") % {"count": whole(sums["cached"])} if sums["cached"] else "",
        ),
        Figure(_("Tokens out"), whole(sums["tokens_out"]), today),
    ]


def _outcomes(rows: QuerySet[UsageRecord], day: date) -> list[Figure]:
    counted = dict(rows.values_list("status").annotate(total=Count("pk")))
    return [
        Figure(str(status.label), whole(counted[status]), requests_link(day=day, status__exact=status))
        for status in UsageStatus
        if counted.get(status)
    ]


def _top_models(rows: QuerySet[UsageRecord], day: date) -> list[Share]:
    best = _ranked(rows.exclude(served_model="").values("served_model"))
    return [_share(row["served_model"], requests_link(day=day, model=row["served_model"]), row) for row in best]


def _top_members(rows: QuerySet[UsageRecord], day: date) -> list[Share]:
    best = _ranked(rows.exclude(member=None).values("member", "member__username"))
    return [
        _share(row["member__username"], requests_link(day=day, member__id__exact=row["member"]), row) for row in best
    ]


def _ranked(groups: QuerySet[UsageRecord, Any]) -> QuerySet[UsageRecord, Any]:
    totals = groups.annotate(
        requests=Count("pk"),
        spent=Sum(_NANO, default=0),
        tokens=Sum(_INPUT + F("output_tokens"), default=0),
    )
    return totals.order_by("-spent", "-tokens", "-requests")[:_TOP]


def _share(name: str, link: str, row: dict[str, Any]) -> Share:
    return Share(name, link, whole(row["requests"]), whole(row["tokens"]), credits_text(row["spent"]))


def _seats(now: datetime) -> list[Figure]:
    """Return how many seats are in each state; a rest that is over counts as active, as it does for requests."""
    by_state = {state.value: Count("pk", filter=seat_is(state, now)) for state in SeatState}
    counted = Seat.objects.order_by().aggregate(**by_state)
    seats = reverse("admin:accounts_seat_changelist")
    return [
        Figure(str(state.label), whole(counted[state]), f"{seats}?{urlencode({'is': state.value})}")
        for state in SeatState
        if counted[state] or state == SeatState.ACTIVE
    ]


def _running(row: UsageRecord, now: datetime) -> Running:
    link = reverse("admin:accounts_usagerecord_change", args=[row.pk])
    seconds = max(0, int((now - row.opened_at).total_seconds()))
    return Running(link, row.member_name, row.served_model or row.requested_model, row.seat_name, seconds)

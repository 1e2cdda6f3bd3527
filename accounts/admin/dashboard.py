"""The console's front page: what today cost, on whom and what, how the seats are, what runs now.

Every number is read from the roll-ups at the moment of the look and links to the rows it counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.admin.columns import credits_text, whole
from accounts.admin.drilldown import RANGE
from accounts.admin.filters import seat_is
from accounts.admin.running import running_requests
from accounts.days import this_day
from accounts.models import Budget, BudgetWarning, Seat, SeatState, UsageRecord, UsageStatus
from accounts.reports import Dimension, Measures, Per, ReportQuery, ReportRow, Viewer, run, totals
from accounts.spending import spendings_of

if TYPE_CHECKING:
    from datetime import date, datetime

    from django.http import HttpRequest

_TOP = 5
_SHOWN_RUNNING = 20
_SHOWN_BUDGETS = 10
_EVERYTHING = Viewer.everything()


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its name and the list of the rows behind it."""

    title: str
    value: str
    link: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """What one model or member took."""

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
    month = day.replace(day=1)
    today = _sums(day, day)
    running = running_requests()
    return {
        **context,
        "title": _("Overview"),
        "day": day,
        "figures": _figures(today, requests_link(day=day), _failures(day, day)),
        "month_figures": _figures(_sums(month, day), _report(Dimension.MODEL, month, day), _failures(month, day)),
        "outcomes": _outcomes(today, day),
        "models": _top(Dimension.MODEL, day),
        "members": _top(Dimension.MEMBER, day),
        "seats": _seats(now),
        "budgets": _budgets(),
        "running": [_running(row, now) for row in running[:_SHOWN_RUNNING]],
        "running_count": running.count(),
        "running_link": requests_link(status__exact=UsageStatus.OPEN),
    }


def requests_link(**filters: object) -> str:
    """Return the address of the list of requests, filtered."""
    return f"{reverse('admin:accounts_usagerecord_changelist')}?{urlencode(filters)}"


def _report(by: Dimension, since: date, until: date) -> str:
    asked = urlencode({"by": by.value, "since": since, "until": until})
    return f"{reverse('admin:accounts_usageday_changelist')}?{asked}"


def _failures(since: date, until: date) -> str:
    return requests_link(day=f"{since}{RANGE}{until}", status__exact=UsageStatus.FAILED)


def _sums(since: date, until: date) -> Measures:
    return totals(_EVERYTHING, ReportQuery(Dimension.ALL, Per.RANGE, since, until))


def _figures(sums: Measures, link: str, failures: str) -> list[Figure]:
    cached, stand_in = whole(sums.cached_tokens), credits_text(sums.nano_stand_in)
    return [
        Figure(_("Requests"), whole(sums.opened), link),
        Figure(_("Failures"), whole(sums.failed), failures),
        Figure(
            _("Credits"),
            credits_text(sums.nano),
            link,
            _("%(credits)s of them not reported by GitHub") % {"credits": stand_in} if sums.nano_stand_in else "",
        ),
        Figure(
            _("Tokens in"),
            whole(sums.all_input),
            link,
            _("%(count)s of them cached") % {"count": cached} if sums.cached_tokens else "",
        ),
        Figure(_("Tokens out"), whole(sums.output_tokens), link),
    ]


def _outcomes(sums: Measures, day: date) -> list[Figure]:
    return [
        Figure(str(status.label), whole(count), requests_link(day=day, status__exact=status))
        for status in UsageStatus
        if (count := getattr(sums, status.value))
    ]


def _top(by: Dimension, day: date) -> list[Share]:
    """The dearest first; what reached no model, or came from nobody, is not ranked."""
    query = ReportQuery(by, Per.RANGE, day, day)
    best = islice((row for row in run(_EVERYTHING, query, limit=_TOP + 1) if row.subject not in {None, ""}), _TOP)
    return [_share(row, _subject_link(by, row, day)) for row in best]


def _subject_link(by: Dimension, row: ReportRow, day: date) -> str:
    key = "member__id__exact" if by == Dimension.MEMBER else "model"
    return requests_link(day=day, **{key: row.subject})


def _share(row: ReportRow, link: str) -> Share:
    sums = row.measures
    tokens = sums.all_input + sums.output_tokens
    return Share(row.name, link, whole(sums.opened), whole(tokens), credits_text(sums.nano))


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


def _budgets() -> list[Figure]:
    """Return the budgets that passed a mark in the period that runs, the fullest first."""
    standing = spendings_of(Budget.objects.filter(active=True).select_related("team", "member", "key"))
    near = sorted((one for one in standing if one.percent >= BudgetWarning.MARKS[0]), key=lambda one: -one.percent)
    return [
        Figure(
            str(one.budget),
            f"{one.percent} %",
            reverse("admin:accounts_budget_change", args=[one.budget.pk]),
            _("resets on %(day)s") % {"day": one.end},
        )
        for one in near[:_SHOWN_BUDGETS]
    ]


def _running(row: UsageRecord, now: datetime) -> Running:
    link = reverse("admin:accounts_usagerecord_change", args=[row.pk])
    seconds = max(0, int((now - row.opened_at).total_seconds()))
    return Running(link, row.member_name, row.served_model or row.requested_model, row.seat_name, seconds)

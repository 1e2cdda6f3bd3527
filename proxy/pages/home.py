"""The first page: what this is for visitors; first steps, seats and latest requests for members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import ApiKey, CostSource, Member, Seat, UsageRecord, UsageStatus
from proxy.pages.seat_words import SeatLine, Tone, describe_all, describe_shared, shared_with
from proxy.pages.visitors import signed_in

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

SHOWN_REQUESTS = 10
FIRST_REQUEST = """curl %(address)s/v1/chat/completions \\
  -H "Authorization: Bearer YOUR_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "claude-sonnet-4.5", "messages": [{"role": "user", "content": "Say hello."}]}'"""
SHOWN_COLUMNS = (
    "opened_at",
    "status",
    "requested_model",
    "served_model",
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "nano_reported",
    "nano_computed",
    "cost_source",
    "error_code",
)
_TONES = {
    UsageStatus.OPEN: Tone.WAIT,
    UsageStatus.SETTLED: Tone.GOOD,
    UsageStatus.REFUSED: Tone.BAD,
    UsageStatus.FAILED: Tone.BAD,
}


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One request as a line of the table; tokens in are all that were read, cached ones included.

    `source` says in words where the cost comes from.
    """

    opened_at: datetime
    requested: str
    served: str
    tokens_in: int
    tokens_out: int
    credits: Decimal | None
    source: str
    is_estimated: bool
    tone: Tone
    word: str
    error: str


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    member = signed_in(request)
    if member is None:
        return render(request, "pages/welcome.html")
    return render(
        request,
        "pages/home.html",
        {
            "seats": _seats(member),
            "shared_seats": [describe_shared(seat) for seat in shared_with(member)],
            "keys": list(ApiKey.objects.live().filter(member=member)),
            "requests": _latest(member),
            "first_request": FIRST_REQUEST % {"address": settings.PUBLIC_URL},
        },
    )


def _seats(member: Member) -> list[SeatLine]:
    return describe_all(Seat.objects.filter(owner=member))


def _latest(member: Member) -> list[RequestLine]:
    rows = UsageRecord.objects.filter(member=member).only(*SHOWN_COLUMNS)[:SHOWN_REQUESTS]
    return [request_line(row) for row in rows]


def request_line(row: UsageRecord) -> RequestLine:
    return RequestLine(
        opened_at=row.opened_at,
        requested=row.requested_model,
        served=row.served_model if row.served_model != row.requested_model else "",
        tokens_in=row.input_tokens + row.cached_tokens + row.cache_write_tokens,
        tokens_out=row.output_tokens,
        credits=row.credits,
        source=row.get_cost_source_display() if row.credits is not None else "",
        is_estimated=row.cost_source == CostSource.ESTIMATED,
        tone=_TONES.get(UsageStatus(row.status), Tone.QUIET),
        word=row.get_status_display(),
        error=row.error_code,
    )

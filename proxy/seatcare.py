"""What a refusal of the upstream does to the seat it hit: rest, or wait for credits.

A refused sign-in or a suspension shows itself when the token is next exchanged; the token store notes it there.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from accounts.database import in_thread
from accounts.models import Seat
from bridge.errors import BridgeError, Exhausted, RateLimited

# Out of credits is asked about again after this long: somebody may have bought some.
EXHAUSTED_SECONDS = 600.0
# Shorter waits are left to the client; a seat is not taken out of service for them.
SHORTEST_REST = 2.0
# These limits are one model's, not the account's.
_OF_ONE_MODEL = frozenset({"user_model_rate_limited", "model_overloaded", "upstream_provider_rate_limit"})


async def note_refusal(seat: int, error: BridgeError) -> None:
    """Change the seat's state as `error` asks; nothing for errors that say nothing of the seat."""
    if error.upstream_status is None:
        return
    if isinstance(error, Exhausted):
        await in_thread(_exhaust)(seat, str(error), time.time() + EXHAUSTED_SECONDS)
    elif isinstance(error, RateLimited) and error.upstream_code not in _OF_ONE_MODEL:
        wait = error.retry_after if error.retry_after is not None else (EXHAUSTED_SECONDS if error.final else 0.0)
        if wait >= SHORTEST_REST:
            await in_thread(_cool)(seat, str(error), time.time() + wait)


def _exhaust(seat: int, reason: str, until: float) -> None:
    for row in Seat.objects.filter(pk=seat):
        row.exhaust(reason, until=datetime.fromtimestamp(until, UTC))


def _cool(seat: int, reason: str, until: float) -> None:
    for row in Seat.objects.filter(pk=seat):
        row.cool(datetime.fromtimestamp(until, UTC), reason)

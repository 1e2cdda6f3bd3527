"""Asking GitHub's account page about every seat in service now and then, whether requests run or not.

A seat is due half an hour after it was last asked about. Of several processes the one asks that moves
`quota_asked_at`, by a conditional update; seats that rest or are out of service are left alone. What the page says is
kept as quota; whether the seat may be used is for its requests, and for a check, to find out.
"""

from __future__ import annotations

import logging
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Q
from django.utils import timezone

from accounts.database import in_thread
from accounts.github import open_github
from accounts.models import QuotaSource, Seat, SeatKind, SeatState
from accounts.quotas.readings import note, quotas_of
from accounts.vault import VaultLocked
from bridge.copilot.account import fetch_account
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.github import GitHub

logger = logging.getLogger(__name__)

PAUSE: Final = timedelta(minutes=30)
_RESTING = (SeatState.COOLING, SeatState.EXHAUSTED)


async def refresh_due(now: datetime | None = None) -> int:
    """Ask about the seats that are due, one after another; return how many were asked about."""
    at = now or timezone.now()
    due = await in_thread(_due)(at)
    asked = 0
    if due:
        async with open_github() as github:
            for seat in due:
                if await in_thread(_claim)(seat, at):
                    asked += 1
                    await _ask(github, seat)
    return asked


def _due(now: datetime) -> list[Seat]:
    """Jitter keeps seats that were connected together, and processes that began together, apart."""
    before = now - PAUSE * (0.9 + 0.2 * random.random())  # noqa: S311 - jitter, no secret
    is_due = Q(quota_asked_at=None) | Q(quota_asked_at__lte=before)
    in_service = Q(state=SeatState.ACTIVE) | Q(state__in=_RESTING, state_until__lte=now)
    served = Q(owner=None) | Q(owner__is_active=True)
    return list(Seat.objects.filter(is_due, in_service, served).exclude(kind=SeatKind.APP))


def _claim(seat: Seat, now: datetime) -> bool:
    mine = Seat.objects.filter(pk=seat.pk, quota_asked_at=seat.quota_asked_at)
    return mine.quiet_update(quota_asked_at=now) == 1


async def _ask(github: GitHub, seat: Seat) -> None:
    if seat.github_token is None:
        return
    try:
        token = seat.github_token.reveal()
        account = await fetch_account(github.http, github.origins(seat.host), github.profile, token)
    except (BridgeError, VaultLocked) as fault:
        # Some tokens may not ask; their answers' headers tell the same.
        logger.info("GitHub's account page says nothing of the seat %s: %s", seat.account, fault)
        return
    await in_thread(note)(seat.pk, quotas_of(account), timezone.now().timestamp(), QuotaSource.ACCOUNT)

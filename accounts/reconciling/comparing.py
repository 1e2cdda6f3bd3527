"""Reconciliation of a seat: what GitHub's counter moved, held against what the ledger counted in the same time.

    GitHub    readings of the allowance that governs the seat: the last one less the first
    ledger    the cost of the seat's requests that were settled after the first reading and up to the last one

The first reading is the one at which the last comparison ended, so that comparisons follow each other without a gap and
their drifts add up. The last one is fresh: GitHub is asked first. Readings of the account's own page count; those of
headers lag and are coarser, and are taken only where there are no others.

An allowance begins anew each month. Between the last reading before that moment and the moment itself nobody saw the
counter: both sides leave that time out, and a note says how much the ledger holds of it.

GitHub tells credits with a limited number of digits. Less than the finest digit seen in its readings is no drift.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from accounts.database import in_thread
from accounts.models import QuotaReading, QuotaSource, QuotaUnit, Reconciliation, Seat, SeatKind, SeatState, UsageRecord
from accounts.models.quota_reading import Grain
from accounts.quotas.readings import levels_of, quotas_of
from accounts.quotas.readings import note as note_quotas
from accounts.reconciling.counter import Run, counted_runs, step_nano
from accounts.reconciling.drift import NANO, Cause, Evidence, likely_causes, note
from accounts.reconciling.ledger_sums import Measured, evidence_of, measure, pruned_rows
from accounts.vault import VaultLocked
from bridge.copilot.account import fetch_account
from bridge.copilot.quota import governing_quota
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from accounts.github import GitHub
    from bridge.copilot.account import AccountState

# Older readings are thinned to one a day; a seat that was never compared begins here.
FIRST_SPAN = timedelta(days=35)
# Figures finer than a thousandth of a credit are as good as exact.
COARSE_NANO = NANO // 1000
# How many readings before the first one are looked at for the finest digit.
DIGITS_OF = 50
_NO_ACCOUNT_PAGE = frozenset({SeatKind.APP, SeatKind.DIRECT})
_UNASKED = frozenset({SeatState.DISABLED, SeatState.SUSPENDED, SeatState.NEEDS_LOGIN})
_CREDIT_NAMES = ("premium_models", "premium_interactions")
_FREE_NAMES = ("chat",)
_NOTES = {QuotaUnit.REQUESTS: Cause.LEGACY, QuotaUnit.MESSAGES: Cause.FREE}


@dataclass(frozen=True, slots=True)
class _Series:
    """The readings of one allowance, in order, and what its figures count."""

    unit: QuotaUnit
    readings: list[QuotaReading] = field(default_factory=list)
    unlimited: bool = False

    @property
    def is_coarse(self) -> bool:
        return any(reading.source == QuotaSource.HEADERS for reading in self.readings)


async def reconcile(github: GitHub, seat: Seat, *, now: Callable[[], float] = time.time) -> Reconciliation:
    """Read GitHub's counter, compare it with the ledger since the last comparison, and keep the result.

    A seat whose counter cannot be read now, or not at all, is compared up to its last known reading; nothing of the
    upstream's is raised.
    """
    account = await _read_counter(github, seat, now)
    return await in_thread(compare)(seat, account)


def compare(seat: Seat, account: AccountState | None = None) -> Reconciliation:
    """Compare what is known, without asking GitHub. `account` is what GitHub just said, if it was asked."""
    series = _series(seat, account)
    notes = [note(_NOTES[series.unit])] if series.unit in _NOTES else []
    if account is None:
        notes.append(note(Cause.NOT_FRESH))
    runs = counted_runs(series.readings)
    if not runs:
        reason = Cause.UNLIMITED if series.unlimited else Cause.NO_READINGS
        return _uncompared(seat, series, [note(reason), *notes])
    return _compared(seat, series, runs, notes)


async def _read_counter(github: GitHub, seat: Seat, now: Callable[[], float]) -> AccountState | None:
    """Return what GitHub says of the account and keep it as readings; None when it cannot be asked."""
    if seat.kind in _NO_ACCOUNT_PAGE or seat.state in _UNASKED or seat.github_token is None:
        return None
    try:
        token = seat.github_token.reveal()
        account = await fetch_account(github.http, github.origins(seat.host), github.profile, token)
    except (BridgeError, VaultLocked):
        return None
    await in_thread(_keep_reading)(seat, account, datetime.fromtimestamp(now(), UTC))
    return account


def _keep_reading(seat: Seat, account: AccountState, at: datetime) -> None:
    """Keep what was read even if nothing changed: this moment is where the comparison ends."""
    note_quotas(seat.pk, quotas_of(account), at.timestamp(), QuotaSource.ACCOUNT)
    quota = governing_quota(account.quotas, free=account.free)
    if quota is None:
        return
    rows = QuotaReading.objects.filter(seat=seat, name=quota.name)
    last = rows.first()
    if last is None or last.at >= at:
        return
    last.pk, last.at, last.source, last.grain = None, at, QuotaSource.ACCOUNT, Grain.ALL
    last.save(force_insert=True)


def _series(seat: Seat, account: AccountState | None) -> _Series:
    since = _end_of_last(seat)
    for source in (QuotaSource.ACCOUNT, QuotaSource.HEADERS):
        for name in _names(account):
            rows = QuotaReading.objects.filter(seat=seat, name=name, source=source).order_by("at", "id")
            readings = _from(rows, since)
            if len(readings) > 1:
                unit = _unit(seat, name, account, readings[0].at)
                told = [reading for reading in readings if reading.used is not None and not reading.unlimited]
                return _Series(unit, told, unlimited=readings[-1].unlimited)
    return _Series(_unit(seat, _names(account)[0], account, since or seat.created_at))


def _names(account: AccountState | None) -> tuple[str, ...]:
    """Return the allowances that may govern the seat, the likeliest first."""
    quota = governing_quota(account.quotas, free=account.free) if account else None
    return (*_CREDIT_NAMES, *_FREE_NAMES) if quota is None else (quota.name,)


def _from(rows: Any, since: datetime | None) -> list[QuotaReading]:
    """Return the last reading at or before `since` and all after it."""
    if since is None:
        return list(rows.filter(at__gte=timezone.now() - FIRST_SPAN))
    first = rows.filter(at__lte=since).last()
    return [*([first] if first else []), *rows.filter(at__gt=since)]


def _end_of_last(seat: Seat) -> datetime | None:
    done = Reconciliation.objects.filter(seat=seat, github_nano__isnull=False)
    return done.order_by("-until").values_list("until", flat=True).first()


def _unit(seat: Seat, name: str, account: AccountState | None, since: datetime) -> QuotaUnit:
    """Return what the allowance counts. One name holds credits or premium requests; who pays by token says so."""
    if name in _FREE_NAMES:
        return QuotaUnit.MESSAGES
    if account is not None:
        return QuotaUnit.CREDITS if account.token_based else QuotaUnit.REQUESTS
    told = {seen.quota.token_based for seen in levels_of(seat).sightings if seen.quota.name in _CREDIT_NAMES}
    if told & {True, False}:
        return QuotaUnit.CREDITS if True in told else QuotaUnit.REQUESTS
    rows = UsageRecord.objects.filter(seat=seat, day__gte=(since - timedelta(days=1)).date())
    counts_requests = rows.filter(premium_thousandths__gt=0).exists() and not rows.filter(nano_reported__gt=0).exists()
    return QuotaUnit.REQUESTS if counts_requests else QuotaUnit.CREDITS


def _compared(seat: Seat, series: _Series, runs: list[Run], notes: list[dict[str, Any]]) -> Reconciliation:
    since, until = runs[0].since, runs[-1].until
    sums = [measure(seat.pk, run.since, run.until, series.unit) for run in runs]
    total = sum(sums, Measured())
    moved = sum(run.moved for run in runs)
    step = step_nano([*series.readings, *_seen_before(seat, series.readings[0])])
    # The two figures of a run are each cut off or rounded: together they are wrong by less than one step.
    tolerance = step * len(runs) - 1 if step > 1 else 0
    evidence = evidence_of(seat.pk, since, until, series.unit, total, coarse=series.is_coarse)
    causes = likely_causes(moved - total.nano, tolerance, _with_arrears(evidence, seat, since))
    if step >= COARSE_NANO:
        notes.append(note(Cause.COARSE, resolution=step))
    # Where this comparison ends the next one begins, however much later: the reading is not thinned away.
    QuotaReading.objects.filter(pk=series.readings[-1].pk).update(grain=Grain.DAILY)
    if pruned := pruned_rows(seat.pk, since, until):
        notes.append(note(Cause.PRUNED, requests=pruned))
    return Reconciliation.objects.create(
        seat=seat,
        since=since,
        until=until,
        unit=series.unit,
        ledger_nano=total.nano,
        github_nano=moved,
        tolerance_nano=tolerance,
        requests=total.requests,
        causes=[*causes, *_gaps(seat, series, runs), *notes],
    )


def _with_arrears(evidence: Evidence, seat: Seat, since: datetime) -> Evidence:
    """Leave of the lag at the beginning only what the comparison that ended there found GitHub to be behind with."""
    before = Reconciliation.objects.filter(seat=seat, until=since, github_nano__isnull=False).first()
    if before is None:
        return evidence
    behind = max(-(before.drift_nano or 0), 0)
    return replace(evidence, late_before=min(evidence.late_before, behind))


def _seen_before(seat: Seat, first: QuotaReading) -> list[QuotaReading]:
    """Return earlier readings of the same kind: their digits tell how fine the figures are, too."""
    rows = QuotaReading.objects.filter(seat=seat, name=first.name, source=first.source, overage=0, at__lt=first.at)
    return list(rows.filter(remaining__isnull=False)[:DIGITS_OF])


def _gaps(seat: Seat, series: _Series, runs: list[Run]) -> list[dict[str, Any]]:
    """Return notes on the times before a reset that nobody saw the end of."""
    gaps = []
    for before, after in pairwise(runs):
        lost = measure(seat.pk, before.until, after.since, series.unit)
        gap = note(Cause.RESET, since=before.until.isoformat(), at=after.since.isoformat(), requests=lost.requests)
        gaps.append(gap | {"nano": lost.nano})
    return gaps


def _uncompared(seat: Seat, series: _Series, causes: list[dict[str, Any]]) -> Reconciliation:
    """Keep what the ledger holds since the last comparison, with nothing to hold it against."""
    now = timezone.now()
    since = max(_end_of_last(seat) or seat.created_at, now - FIRST_SPAN)
    total = measure(seat.pk, since, now, series.unit)
    return Reconciliation.objects.create(
        seat=seat,
        since=since,
        until=now,
        unit=series.unit,
        ledger_nano=total.nano,
        github_nano=None,
        requests=total.requests,
        causes=causes,
    )

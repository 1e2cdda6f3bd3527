"""How long the usage ledger keeps single requests: by age, by number of rows, or for ever.

Rows go oldest first and a few hundred at a time, because SQLite has one writer and requests wait for it.
Open rows stay whatever their age.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import UsageAttempt, UsageRecord, UsageStatus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from django.db.models import QuerySet

BATCH = 500


def prune() -> int:
    """Delete what the settings no longer keep and return how many requests that were."""
    return _delete_older(settings.BRIDGE_RETENTION_DAYS) + _delete_beyond(settings.BRIDGE_RETENTION_ROWS)


def _delete_older(days: int) -> int:
    if not days:
        return 0
    first_kept = timezone.localdate() - timedelta(days=days)
    return sum(_delete(batch) for batch in _batches(_closed().filter(day__lt=first_kept)))


def _delete_beyond(rows: int) -> int:
    excess = UsageRecord.objects.count() - rows if rows else 0
    return sum(_delete(batch) for batch in _batches(_closed(), excess)) if excess > 0 else 0


def _closed() -> QuerySet[UsageRecord]:
    return UsageRecord.objects.exclude(status=UsageStatus.OPEN).order_by("day", "id")


def _batches(rows: QuerySet[UsageRecord], limit: int | None = None) -> Iterator[list[UUID]]:
    """Yield the ids of the first rows that are left, until there are none or `limit` were yielded."""
    left = limit
    while left is None or left > 0:
        size = BATCH if left is None else min(BATCH, left)
        batch = list(rows.values_list("id", flat=True)[:size])
        if not batch:
            return
        yield batch
        left = None if left is None else left - len(batch)


def _delete(batch: list[UUID]) -> int:
    with transaction.atomic():
        UsageAttempt.objects.filter(record__in=batch).delete()
        deleted, _per_model = UsageRecord.objects.filter(id__in=batch).delete()
    return deleted

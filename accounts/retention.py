"""How long the usage ledger keeps single requests: by age, by number of rows, or for ever; stored replies, readings.

Rows go oldest first and a few hundred at a time, because SQLite has one writer and requests wait for it.
Open rows stay whatever their age. Stored replies name the hour of their end themselves.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from accounts.ledger.booked import Booked
from accounts.ledger.books import open_books
from accounts.models import Instance, StoredReply, UsageAttempt, UsageRecord, UsageStatus
from accounts.quotas.readings import thin
from accounts.trail import append

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

BATCH = 500
FORGOTTEN_AFTER = timedelta(days=30)
# SQLite gives back every page of a deleted row within the transaction: megabytes of it are tens of milliseconds.
BATCH_BYTES = 4 * 1024 * 1024


def prune() -> int:
    """Delete what the settings no longer keep and return how many requests that were.

    Stored replies that have expired, readings of quotas whose time is over and processes that are long gone go with
    them, uncounted.
    """
    delete_expired_replies(timezone.now())
    thin(timezone.now())
    _forget_processes(timezone.now() - FORGOTTEN_AFTER)
    deleted = _delete_older(settings.BRIDGE_RETENTION_DAYS) + _delete_beyond(settings.BRIDGE_RETENTION_ROWS)
    if deleted:
        append("usage.pruned", changes={"requests": deleted})
    return deleted


def _forget_processes(before: datetime) -> None:
    """Delete the processes that were last heard of before; one that left rows open is still needed to abandon them."""
    still = UsageRecord.objects.filter(status=UsageStatus.OPEN).order_by().values_list("instance", flat=True).distinct()
    Instance.objects.filter(heartbeat_at__lt=before).exclude(pk__in=list(still)).delete()


def delete_expired_replies(at: datetime) -> int:
    """Delete stored replies whose time is over at `at`, all of them where none are stored; returns how many."""
    replies = StoredReply.objects.order_by("expires_at")
    gone = replies.expired(at) if settings.BRIDGE_STORE_REPLIES else replies
    deleted = 0
    while batch := _first_replies(gone):
        deleted += StoredReply.objects.filter(id__in=batch).delete()[0]
    return deleted


def _first_replies(replies: QuerySet[StoredReply]) -> list[str]:
    """The ids of the first replies that are left, as many as one transaction may take; none when there are none."""
    batch: list[str] = []
    held = 0
    for reply, size in replies.values_list("id", "size")[:BATCH]:
        held += size
        if batch and held > BATCH_BYTES:
            break
        batch.append(reply)
    return batch


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
    """Delete rows; the roll-ups keep what they used and count that they went."""
    with open_books() as books:
        rows = list(UsageRecord.objects.select_for_update().filter(id__in=batch).order_by("id"))
        for row in rows:
            books.prune(Booked.of(row))
        UsageAttempt.objects.filter(record__in=batch).delete()
        UsageRecord.objects.as_ledger().filter(id__in=batch).delete()
    return len(rows)

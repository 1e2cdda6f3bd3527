"""Which processes are alive, and what became of the rows of those that are not.

An instance keeps a heartbeat; rows left open by one that lapsed are marked abandoned. A process of this very machine
that is gone counts as lapsed at once, so that a restart after a crash tells the truth from its first second.
"""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.ledger.booked import Booked
from accounts.ledger.books import open_books
from accounts.models import Instance, UsageRecord, UsageStatus

HEARTBEAT_SECONDS = 5.0
LAPSE_SECONDS = 30.0
_BATCH = 500


def register(instance: UUID, version: str) -> None:
    Instance.objects.create(id=instance, host=socket.gethostname(), pid=os.getpid(), version=version)


def beat(instance: UUID) -> None:
    Instance.objects.filter(pk=instance).update(heartbeat_at=timezone.now())


def sign_off(instance: UUID) -> None:
    Instance.objects.filter(pk=instance).update(stopped_at=timezone.now(), heartbeat_at=timezone.now())


def mark_abandoned(own: UUID) -> int:
    """Mark open rows of lapsed instances; returns how many there were."""
    lapsed = lapsed_instances(own)
    if not lapsed:
        return 0
    count = 0
    while marked := _mark_some(lapsed):
        count += marked
    return count


def _mark_some(lapsed: list[UUID]) -> int:
    """Mark a few hundred: SQLite has one writer, and requests wait for it."""
    open_rows = UsageRecord.objects.filter(status=UsageStatus.OPEN, instance__in=lapsed).order_by("id")
    with open_books() as books:
        rows = list(open_rows.select_for_update()[:_BATCH])
        before = [Booked.of(row) for row in rows]
        after = [replace(row, status=UsageStatus.ABANDONED.value) for row in before]
        books.prepare(moving=after)
        for was, becomes in zip(before, after, strict=True):
            books.move(was, becomes)
        UsageRecord.objects.as_ledger().filter(pk__in=[row.pk for row in rows]).update(
            status=UsageStatus.ABANDONED, settled_at=timezone.now()
        )
    return len(rows)


def lapsed_instances(own: UUID) -> list[UUID]:
    """Instances other than `own` that have open rows and no life."""
    with_open_rows = (
        UsageRecord.objects.filter(status=UsageStatus.OPEN).order_by().values_list("instance", flat=True).distinct()
    )
    candidates = Instance.objects.filter(pk__in=list(with_open_rows)).exclude(pk=own)
    stale = timezone.now() - timedelta(seconds=LAPSE_SECONDS)
    lapsed = set(
        candidates.filter(Q(stopped_at__isnull=False) | Q(heartbeat_at__lt=stale)).values_list("pk", flat=True)
    )
    here = candidates.filter(host=socket.gethostname()).exclude(pk__in=lapsed).values_list("pk", "pid")
    return [*lapsed, *(pk for pk, pid in here if pid == os.getpid() or not _is_running(pid))]


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

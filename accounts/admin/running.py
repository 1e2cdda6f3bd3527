"""Which processes live and what they are running."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from accounts.ledger.instances import LAPSE_SECONDS
from accounts.models import Instance, UsageRecord, UsageStatus

if TYPE_CHECKING:
    from django.db.models import QuerySet


def is_alive(instance: Instance) -> bool:
    """Whether the process has not stopped and was heard of lately."""
    return instance.stopped_at is None and instance.heartbeat_at >= timezone.now() - timedelta(seconds=LAPSE_SECONDS)


def running_requests() -> QuerySet[UsageRecord]:
    """Return the open rows of living processes, the latest first; rows a crash left open are not running."""
    heard = timezone.now() - timedelta(seconds=LAPSE_SECONDS)
    alive = Instance.objects.filter(stopped_at=None, heartbeat_at__gte=heard).values_list("pk", flat=True)
    return UsageRecord.objects.filter(status=UsageStatus.OPEN, instance__in=list(alive)).order_by("-id")

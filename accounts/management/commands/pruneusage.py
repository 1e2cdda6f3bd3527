"""`manage.py pruneusage`: delete requests from the usage ledger that are older or more than the settings keep."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from accounts.retention import prune


class Command(BaseCommand):
    help = "Deletes what BRIDGE_RETENTION_DAYS and BRIDGE_RETENTION_ROWS no longer keep, a few hundred rows at a time."

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(f"Requests deleted from the usage ledger: {prune()}")

"""`manage.py reconcile`: compare what GitHub counted of each seat with what the ledger holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from django.core.management.base import BaseCommand, CommandError

from accounts.github import open_github
from accounts.models import Reconciliation, Seat, SeatState
from accounts.reconciling.comparing import reconcile
from accounts.reconciling.drift import amount, sentence, verdict

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Compares what GitHub's counter of each seat moved with what the ledger counted, and says why they differ."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seat", type=int, metavar="N", help="the number of one seat (default: every seat in use)")

    def handle(self, *_args: Any, seat: int | None, **_options: Any) -> None:
        seats = list(Seat.objects.exclude(state=SeatState.DISABLED) if seat is None else Seat.objects.filter(pk=seat))
        if seat is not None and not seats:
            raise CommandError(f"There is no seat {seat}.")
        async_to_sync(self._reconcile_all)(seats)

    async def _reconcile_all(self, seats: list[Seat]) -> None:
        async with open_github() as github:
            for seat in seats:
                self._tell(seat, await reconcile(github, seat))

    def _tell(self, seat: Seat, row: Reconciliation) -> None:
        github = "?" if row.github_nano is None else amount(row.github_nano, row.unit)
        span = f"{row.since:%Y-%m-%d %H:%M} – {row.until:%Y-%m-%d %H:%M %Z}"
        self.stdout.write(
            f"{seat.pk} {seat.account}, {span}: GitHub {github}, ledger {amount(row.ledger_nano, row.unit)} "
            f"({row.requests}). {verdict(row)}"
        )
        for cause in row.causes:
            self.stdout.write(f"    {sentence(cause, row.unit)}")

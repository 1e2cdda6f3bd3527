"""`manage.py prove`: check that the ledger, its roll-ups and its budgets add up, to the row and to the unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from accounts.reports.comparing import compare_days, compare_sessions
from accounts.reports.proof import budget_standings, ledger_days, standings, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.core.management.base import CommandParser

_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Proves that opened = open + settled + refused + failed + cancelled + abandoned, that the roll-ups equal the "
        "rows, and that the budgets equal both. Reads every row; exits with 1 on any difference."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quick", action="store_true", help="only what needs no look at every row")

    def handle(self, *_args: Any, quick: bool, **_options: Any) -> None:
        found = [self._tell("outcomes", _outcomes()), self._tell("budgets", _budgets())]
        if not quick:
            found += [self._tell("days", map(str, _days())), self._tell("conversations", map(str, compare_sessions()))]
        line = whole(standings("member"))
        self.stdout.write(
            f"{line.opened:,} opened = {line.open:,} open + {line.settled:,} settled + {line.refused:,} refused + "
            f"{line.failed:,} failed + {line.cancelled:,} cancelled + {line.abandoned:,} abandoned"
        )
        if any(found):
            raise CommandError(f"{sum(found):,} differences.", returncode=1)
        self.stdout.write("Everything adds up.")

    def _tell(self, name: str, differences: Iterable[str]) -> int:
        """Write one line for the equation and the first of its differences; return how many there are."""
        count = 0
        for count, difference in enumerate(differences, start=1):
            if count <= _SHOWN:
                self.stdout.write(f"  {difference}")
        self.stdout.write(f"{name:15} {f'{count:,} differences' if count else 'ok'}")
        return count


def _outcomes() -> Iterator[str]:
    for group in ("day", "member"):
        for line in standings(group):
            if not line.holds:
                yield f"{group} {line.subject}: {line.opened:,} opened, {line.accounted:,} accounted for"


def _days() -> Iterator[object]:
    days = ledger_days()
    if days is not None:
        yield from compare_days(*days)


def _budgets() -> Iterator[str]:
    for line in budget_standings():
        if not line.holds:
            yield (
                f"{line.period}: {line.settled_difference:+,} nano-AIU settled and {line.reserved_difference:+,} held "
                "back against the roll-ups and the open rows"
            )

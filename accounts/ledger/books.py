"""The books of one transaction: ledger rows move, and every counter that is a sum of them moves along.

    with open_books() as books:
        … write the row …
        books.move(Booked.of(row_as_it_was), Booked.of(row_as_it_is))

Counters are `UsageDay`, `UsageSession` and `BudgetPeriod`. They go out at the end of the transaction that writes the
rows; a crash between the two is not possible. Whoever writes a ledger row writes it under open books: the writer
(opening, settling), the marker of abandoned rows, the pruning, and the act of correction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import transaction

from accounts.ledger.booked import Booked
from accounts.ledger.budget_lines import BudgetLines
from accounts.ledger.periods import BudgetSpent, Periods
from accounts.ledger.rollups import Rollups


class Books:
    def __init__(self, lines: BudgetLines) -> None:
        self._periods = Periods(lines)
        self._rollups = Rollups()

    def prepare(self, opening: Iterable[Booked] = (), moving: Iterable[Booked] = ()) -> None:
        """Lock what these rows concern, before any of them moves. Raises PeriodsMissing."""
        self._periods.prepare(opening, moving)

    def admit(self, row: Booked) -> BudgetSpent | None:
        """Count a row that opens; or return why it may not, and count nothing."""
        refusal = self._periods.admit(row)
        if refusal is None:
            self._rollups.move(None, row)
        return refusal

    def enter(self, row: Booked) -> None:
        """Count a row that opens only to be refused: no budget is asked."""
        self._rollups.move(None, row)

    def move(self, before: Booked, after: Booked) -> None:
        self._periods.prepare((), [after])
        self._periods.move(before, after)
        self._rollups.move(before, after)

    def prune(self, row: Booked) -> None:
        self._rollups.prune(row)

    def flush(self) -> None:
        self._periods.flush()
        self._rollups.flush()


@contextmanager
def open_books(lines: BudgetLines | None = None) -> Iterator[Books]:
    """One transaction over the ledger; its counters are written at its end. `lines` saves reading budgets anew."""
    with transaction.atomic():
        books = Books(lines or BudgetLines())
        yield books
        books.flush()

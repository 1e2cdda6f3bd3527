"""Many acts of the ledger in one transaction: requests that open, requests that end, and all that is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from accounts.ledger.booked import Booked
from accounts.ledger.books import Books, open_books
from accounts.ledger.budget_lines import BudgetLines
from accounts.ledger.entries import Opening, Settlement
from accounts.ledger.periods import BudgetSpent, PeriodsMissing
from accounts.ledger.statements import Statements, settled


@dataclass(frozen=True, slots=True, eq=False)
class Act:
    """An opening, a settlement, or both at once: a request that was refused before it reached the upstream."""

    opening: Opening | None = None
    settlement: Settlement | None = None


class Bookkeeper:
    """Writes the ledger on the calling thread's connection; `instance` is this process's id."""

    def __init__(self, instance: UUID) -> None:
        self._statements = Statements(instance)
        self._lines = BudgetLines()

    def commit(self, acts: Sequence[Act]) -> dict[Act, BudgetSpent]:
        """Write the acts; returns the openings that a hard budget refused, of which nothing is written.

        Raises the database's errors: then nothing at all is written.
        """
        while True:
            try:
                return self._commit(acts)
            except PeriodsMissing as missing:
                missing.make()

    def _commit(self, acts: Sequence[Act]) -> dict[Act, BudgetSpent]:
        with open_books(self._lines) as books:
            opened, refused = self._admit(books, acts)
            if opened:
                self._statements.open_rows(opened)
            self._settle(books, {act.settlement.id: act.settlement for act in acts if act.settlement is not None})
        return refused

    def _admit(self, books: Books, acts: Sequence[Act]) -> tuple[list[Opening], dict[Act, BudgetSpent]]:
        """Ask the budgets in the order of arrival; what is settled in the same act was refused already."""
        openings = [(act, _holding(act.opening, act)) for act in acts if act.opening is not None]
        rows = [self._statements.booked(opening) for _act, opening in openings]
        books.prepare(opening=[row for (act, _), row in zip(openings, rows, strict=True) if act.settlement is None])
        opened: list[Opening] = []
        refused: dict[Act, BudgetSpent] = {}
        for (act, opening), row in zip(openings, rows, strict=True):
            if act.settlement is not None:
                books.enter(row)
            elif (refusal := books.admit(row)) is not None:
                refused[act] = refusal
                continue
            opened.append(opening)
        return opened, refused

    def _settle(self, books: Books, settlements: dict[UUID, Settlement]) -> None:
        """Settle the rows that still wait for it: a second settlement of the same row changes nothing."""
        if not settlements:
            return
        before: dict[UUID, Booked] = self._statements.waiting(list(settlements))
        after = {number: settled(row, settlements[number]) for number, row in before.items()}
        books.prepare(moving=after.values())
        for number, row in before.items():
            books.move(row, after[number])
        if before:
            self._statements.settle_rows([settlements[number] for number in before])


def _holding(opening: Opening, act: Act) -> Opening:
    """A request that was refused before it opened holds nothing back, whatever a budget was asked for it."""
    return opening if act.settlement is None else replace(opening, reserved=0)

"""The budgets as the ledger's writer needs them, read again only when something changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from accounts.ledger.booked import Booked
from accounts.models import Budget, Epoch


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """A budget as the writer needs it; `subject` is the id of the team, member or key, None for the installation."""

    id: int
    scope: str
    subject: int | None
    span: str
    limit: int
    refuses: bool
    active: bool


class BudgetLines:
    """Every budget, read again when the epoch moved; to be asked within the transaction, behind the lock."""

    def __init__(self) -> None:
        self._epoch = -1
        self.by_id: dict[int, BudgetLine] = {}
        self._by_subject: dict[tuple[str, int | None], list[BudgetLine]] = {}

    def refresh(self) -> None:
        epoch = Epoch.current()
        if epoch == self._epoch:
            return
        self.by_id, self._by_subject = _load_lines(), {}
        for line in self.by_id.values():
            self._by_subject.setdefault((line.scope, line.subject), []).append(line)
        self._epoch = epoch

    def of(self, row: Booked) -> Iterator[BudgetLine]:
        subjects = (("installation", None), ("team", row.team), ("member", row.member), ("key", row.key))
        for scope, subject in subjects:
            if subject is not None or scope == "installation":
                yield from self._by_subject.get((scope, subject), ())


def _load_lines() -> dict[int, BudgetLine]:
    columns = ("id", "scope", "team_id", "member_id", "key_id", "span", "limit_nano", "hard", "active")
    return {
        number: BudgetLine(number, scope, team or member or key, span, limit, hard, active)
        for number, scope, team, member, key, span, limit, hard, active in Budget.objects.order_by("id").values_list(
            *columns
        )
    }

"""The usage ledger's writing side: rows as plain tuples, one writing thread per process, instances with a heartbeat."""

from accounts.ledger.entries import AttemptLine, Opening, Outcome, Settlement
from accounts.ledger.periods import BudgetSpent
from accounts.ledger.writer import LedgerWriter

__all__ = ["AttemptLine", "BudgetSpent", "LedgerWriter", "Opening", "Outcome", "Settlement"]

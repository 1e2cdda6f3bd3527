"""Counting tokens from text, and what they cost.

A token is four bytes of UTF-8. Prices are the model's own, in nano-AIU per million tokens, and the tier is chosen by
the whole input. All arithmetic is in integers, so that `total_nano_aiu` equals the sum over `token_details` exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.simulator.catalogue import BATCH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.simulator.catalogue import Model


def count(text: str | bytes) -> int:
    """Tokens of `text`: a quarter of its UTF-8 bytes, rounded up."""
    size = len(text) if isinstance(text, bytes) or text.isascii() else len(text.encode())
    return -(-size // 4)


@dataclass(frozen=True, slots=True)
class Tokens:
    """`input` is everything that went in, `cached` and `written` parts of it; `reasoning` is part of `output`."""

    input: int = 0
    cached: int = 0
    written: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def fresh(self) -> int:
        return self.input - self.cached - self.written

    @property
    def total(self) -> int:
        return self.input + self.output

    def claiming(self, wanted: Mapping[str, int] | None) -> Tokens:
        """The same with the numbers a scenario asks for."""
        names = {"cache_write": "written"}
        return replace(self, **{names.get(name, name): number for name, number in (wanted or {}).items()})


@dataclass(frozen=True, slots=True)
class Bill:
    """What one answer cost: the counts, the lines of `token_details`, and their sum in nano-AIU."""

    tokens: Tokens
    details: tuple[dict[str, Any], ...]
    nano_aiu: int

    @property
    def usage(self) -> dict[str, Any]:
        """The value of `copilot_usage`."""
        return {"token_details": list(self.details), "total_nano_aiu": self.nano_aiu}


def bill(tokens: Tokens, model: Model) -> Bill:
    """Price `tokens` by the card of `model`."""
    prices = model.prices_for(tokens.input)
    priced = (
        ("input", tokens.fresh, prices.input),
        ("cache_read", tokens.cached, prices.cache_read),
        ("cache_write", tokens.written, prices.cache_write),
        ("output", tokens.output, prices.output),
    )
    lines = tuple(
        {"batch_size": BATCH, "cost_per_batch": cost, "token_count": number, "token_type": kind}
        for kind, number, cost in priced
    )
    return Bill(tokens, lines, sum(number * cost for _, number, cost in priced) // BATCH)

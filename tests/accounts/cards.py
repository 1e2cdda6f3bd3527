"""Prices for the tests of the rate card: rows that are not saved, and models as a seat's list describes them."""

from __future__ import annotations

from datetime import date
from typing import Any

from accounts.models import Price, PriceOrigin
from bridge.copilot.model import Model, TokenPrice

JUNE = date(2026, 6, 1)
JULY = date(2026, 7, 1)
AUGUST = date(2026, 8, 1)
CREDIT = 10**9


def a_price(model: str = "m", input_: int = 100, **fields: Any) -> Price:
    """A row of the card; `input_` in credits per million, so that tests can tell entries apart."""
    told: dict[str, Any] = {"origin": PriceOrigin.SHIPPED, "valid_from": JUNE, "input_nano": input_ * CREDIT}
    return Price(model=model, **{**told, "output_nano": 1000 * CREDIT, **fields})


def a_tier(input_: int = 100, above: int = 0, **fields: Any) -> TokenPrice:
    """A tier as a live list states it, in the same units."""
    told: dict[str, Any] = {"tier": "default", "batch_size": 1_000_000, "cached_input": None, "cache_write": None}
    told |= {"above_input_tokens": above, "input": input_ * CREDIT, "output": 1000 * CREDIT}
    return TokenPrice(**{**told, **fields})


def a_model(*tiers: TokenPrice, name: str = "m", multiplier: int | None = None) -> Model:
    return Model(name, name, prices=tiers, multiplier_thousandths=multiplier)

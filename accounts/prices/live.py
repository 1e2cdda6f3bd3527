"""What GitHub's model lists say of prices, kept in the rate card as it changes.

Each seat's list is read every ten minutes; prices change a few times a year. So a list is first held against what the
same seat said last, then against the card in memory, and only what is news in both costs a transaction. Seats that
are told different prices do not overwrite each other with every list: each writes when its own list changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.database import in_thread
from accounts.prices.rows import Changes, keep_live, live_lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from accounts.prices.card import RateCard
    from bridge.copilot.model import Model, TokenPrice

Stated = dict[str, tuple["TokenPrice", ...]]


class LivePrices:
    def __init__(self) -> None:
        self._heard: dict[int, Stated] = {}

    async def hear(self, seat: int, models: Mapping[str, Model], card: RateCard, today: date) -> Changes:
        """Keep what a list just read from GitHub states. Raises DatabaseError; then it is news the next time."""
        stated = {name: model.prices for name, model in models.items() if live_lines(name, model.prices, today)}
        before = self._heard.get(seat, {})
        news = {
            name: prices
            for name, prices in stated.items()
            if before.get(name) != prices and not card.states(name, prices)
        }
        changes = await in_thread(keep_live)(news, today) if news else Changes()
        self._heard[seat] = stated
        return changes

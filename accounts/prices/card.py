"""The rate card as the request path holds it: which prices hold for a model on a day.

The rows of one model, origin and first day are one entry with its tiers. Which entry holds:

1. An entry counts from its first day on, and while its first tier (that of the smallest requests) is switched on.
   A higher tier that is switched off is as if it were not there.
2. What people made (in the console, by import) wins over what GitHub's model list says, and that over what is shipped.
3. Of several that are left the one with the newest first day holds; on the same day the console's before the import.
4. The exact id is looked for first, then the same model spelt otherwise (`bridge.copilot.names`).

The model list of the seat that serves a request is GitHub's newest word and exact for that seat: it takes the place
of the live rows, which keep it for other days, for seats whose list states no prices, and for people to see. Whoever
switches a model's live rows off silences the list for that model too.

A seat whose list counts premium requests (a multiplier and no token prices) costs no credits, unless it is known to
pay by token.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from accounts.models import Price, PriceOrigin
from bridge.copilot.model import TokenPrice
from bridge.copilot.names import match

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from bridge.copilot.model import Model

# The lower bound of a tier; input, cached input, cache write, output.
Amounts = tuple[int, Fraction | None, Fraction | None, Fraction | None, Fraction | None]

TOKENS_PER_PRICE = 1_000_000
_RANKS = {PriceOrigin.CONSOLE: 3, PriceOrigin.IMPORT: 3, PriceOrigin.LIVE: 2, PriceOrigin.SHIPPED: 1}
_MADE_BY_PEOPLE = frozenset({PriceOrigin.CONSOLE, PriceOrigin.IMPORT})
# Names come from the live lists: far fewer, unless something asks for nonsense.
_REMEMBERED_NAMES = 2000


@dataclass(frozen=True, slots=True)
class CardEntry:
    """Prices of one model with where they come from; `valid_from` is None for what a seat's own list says today."""

    model: str
    origin: str
    valid_from: date | None
    tiers: tuple[TokenPrice, ...]

    @property
    def is_made_by_people(self) -> bool:
        return self.origin in _MADE_BY_PEOPLE


class RateCard:
    """All entries, best first for each model. Made once from the rows, never changed."""

    def __init__(self, rows: Iterable[Price] = ()) -> None:
        entries: defaultdict[str, list[CardEntry]] = defaultdict(list)
        newest_live: dict[str, list[Price]] = {}
        for group in _groups(rows):
            first = group[0]
            if first.origin == PriceOrigin.LIVE and _is_newer(group, newest_live.get(first.model)):
                newest_live[first.model] = group
            if first.active and first.above_input_tokens == 0:
                entries[first.model].append(_entry(group))
        self._entries: Mapping[str, list[CardEntry]] = {
            model: sorted(found, key=_preference, reverse=True) for model, found in entries.items()
        }
        self._live = {model: per_million(map(_tier, group)) for model, group in newest_live.items()}
        self._silenced = {model for model, group in newest_live.items() if not any(row.active for row in group)}
        self._names: dict[str, str | None] = {}

    def find(self, model: str, day: date) -> CardEntry | None:
        """The entry of the card that holds for `model` on `day`; None when there is none."""
        for entry in self._entries.get(self._name(model) or "", ()):
            if entry.valid_from is None or entry.valid_from <= day:
                return entry
        return None

    def quote(self, model: Model, day: date, *, token_based: bool = False) -> CardEntry | None:
        """The entry by which a request to `model`, as a seat's list describes it, is paid; None: not in credits.

        `token_based` says that the seat is known to pay by token, whatever its list states.
        """
        found, is_own = self._choose(model, day, token_based=token_based)
        if not is_own or (found is not None and per_million(found.tiers) == per_million(model.prices)):
            return found
        return CardEntry(model.id, PriceOrigin.LIVE, None, model.prices)

    def prices(self, model: Model, day: date, *, token_based: bool = False) -> tuple[TokenPrice, ...]:
        """The prices of what `quote` finds, for `pricing.compute`."""
        found, is_own = self._choose(model, day, token_based=token_based)
        if is_own:
            return model.prices
        return () if found is None else found.tiers

    def _choose(self, model: Model, day: date, *, token_based: bool) -> tuple[CardEntry | None, bool]:
        """What the card has for `model`, and whether the seat's own list goes before it."""
        if model.multiplier_thousandths is not None and not model.prices and not token_based:
            return None, False
        found = self.find(model.id, day)
        is_made_by_people = found is not None and found.is_made_by_people
        return found, has_prices(model) and not is_made_by_people and model.id not in self._silenced

    def states(self, model: str, prices: Iterable[TokenPrice]) -> bool:
        """Whether the newest live rows of `model`, switched on or off, say just that."""
        return self._live.get(model) == per_million(prices)

    def _name(self, model: str) -> str | None:
        if model in self._entries:
            return model
        if model not in self._names:
            if len(self._names) >= _REMEMBERED_NAMES:
                self._names.clear()
            self._names[model] = match(model, self._entries)
        return self._names[model]


def load_card() -> RateCard:
    return RateCard(Price.objects.all())


def has_prices(model: Model) -> bool:
    """Whether the list states what the model costs; models that make no text have no price for it."""
    return bool(model.prices) and all(price.input is not None for price in model.prices)


def per_million(tiers: Iterable[TokenPrice]) -> tuple[Amounts, ...]:
    """The tiers in ascending order, each as its lower bound and its prices in nano-AIU per million tokens, exact."""
    return tuple(sorted(map(_amounts, tiers), key=lambda amounts: amounts[0]))


def _amounts(tier: TokenPrice) -> Amounts:
    def exact(price: int | None) -> Fraction | None:
        return None if price is None else Fraction(price * TOKENS_PER_PRICE, tier.batch_size)

    return (
        tier.above_input_tokens,
        exact(tier.input),
        exact(tier.cached_input),
        exact(tier.cache_write),
        exact(tier.output),
    )


def _groups(rows: Iterable[Price]) -> Iterable[list[Price]]:
    """The rows that belong together, each group beginning with its smallest tier."""
    groups: defaultdict[tuple[str, str, date], list[Price]] = defaultdict(list)
    for row in rows:
        groups[row.model, row.origin, row.valid_from].append(row)
    return [sorted(group, key=lambda row: row.above_input_tokens) for group in groups.values()]


def _entry(group: list[Price]) -> CardEntry:
    first = group[0]
    return CardEntry(first.model, first.origin, first.valid_from, tuple(_tier(row) for row in group if row.active))


def _tier(row: Price) -> TokenPrice:
    return TokenPrice(
        tier=f"above_{row.above_input_tokens}" if row.above_input_tokens else "default",
        above_input_tokens=row.above_input_tokens,
        batch_size=TOKENS_PER_PRICE,
        input=row.input_nano,
        cached_input=row.cached_nano,
        cache_write=row.cache_write_nano,
        output=row.output_nano,
    )


def _preference(entry: CardEntry) -> tuple[int, int, bool]:
    day = entry.valid_from.toordinal() if entry.valid_from is not None else 0
    return _RANKS[PriceOrigin(entry.origin)], day, entry.origin == PriceOrigin.CONSOLE


def _is_newer(group: list[Price], known: list[Price] | None) -> bool:
    return known is None or group[0].valid_from > known[0].valid_from

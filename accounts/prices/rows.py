"""The rows of the rate card that people do not write one by one: shipped, imported, and as GitHub's lists state them.

All three are one act: the rows of one origin, for some models and days, become what is wanted of them. Rows that are
right stay untouched, so that nothing is announced and nothing stands in the trail when nothing changed. Each act
takes the trail's head before it reads: of two processes that hear the same news the second finds it written.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.models import Price, PriceOrigin, TrailHead
from accounts.prices.card import per_million
from accounts.prices.computing import HIGHEST_NANO
from accounts.prices.files import PriceLine, model_days, shipped_card

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from bridge.copilot.model import TokenPrice

_HIGHEST_BOUND = 2**31 - 1
_LONGEST_NAME = 200
# A transaction over so many models ends within the time one may hold SQLite's only lock.
_MODELS_AT_ONCE = 25


@dataclass(frozen=True, slots=True)
class Changes:
    """How many rows an act made, altered, found right, and took away."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.removed)


class _Rehearsed(Exception):
    """Ends the transaction of a dry run; never leaves this file."""


def sync_shipped() -> Changes:
    """Make the shipped rows those of the shipped card; what a person switched off or noted on one stays."""
    with transaction.atomic():
        TrailHead.lock()
        return _become(PriceOrigin.SHIPPED, Price.objects.filter(origin=PriceOrigin.SHIPPED), shipped_card())


def import_prices(lines: Sequence[PriceLine], *, dry_run: bool = False) -> Changes:
    """Make the imported rows of the models and days in `lines` those lines, all or none; they are switched on."""
    changes = Changes()
    try:
        with transaction.atomic():
            TrailHead.lock()
            wanted = model_days(lines)
            held = [row for row in Price.objects.filter(origin=PriceOrigin.IMPORT) if _day_of(row) in wanted]
            changes = _become(PriceOrigin.IMPORT, held, lines, switched_on=True)
            if dry_run:
                raise _Rehearsed
    except _Rehearsed:
        pass
    return changes


def keep_live(models: Mapping[str, Sequence[TokenPrice]], today: date) -> Changes:
    """Remember what GitHub's list says of `models`, from `today` on, where it is something else than before."""
    total = Changes()
    names = sorted(models)
    for start in range(0, len(names), _MODELS_AT_ONCE):
        with transaction.atomic():
            TrailHead.lock()
            changes = _keep_live({name: models[name] for name in names[start : start + _MODELS_AT_ONCE]}, today)
        total = Changes(
            total.new + changes.new,
            total.changed + changes.changed,
            total.unchanged + changes.unchanged,
            total.removed + changes.removed,
        )
    return total


def live_lines(model: str, prices: Iterable[TokenPrice], day: date) -> tuple[PriceLine, ...]:
    """The lines that state `prices`; none at all when the card cannot hold them.

    A tier that begins where another does is left out; fractions of a nano-AIU per million tokens are cut off.
    """
    lines: dict[int, PriceLine] = {}
    for above, input_, cached, cache_write, output in per_million(prices):
        amounts = [None if price is None else int(price) for price in (input_, cached, cache_write, output)]
        if amounts[0] is None or amounts[3] is None or above > _HIGHEST_BOUND or len(model) > _LONGEST_NAME:
            return ()
        if any(amount is not None and amount > HIGHEST_NANO for amount in amounts):
            return ()
        lines.setdefault(above, PriceLine(model, above, day, amounts[0], amounts[1], amounts[2], amounts[3]))
    return tuple(lines.values()) if 0 in lines else ()


def _keep_live(models: Mapping[str, Sequence[TokenPrice]], today: date) -> Changes:
    held = _newest_live(models, today)
    wanted: list[PriceLine] = []
    replaced: list[Price] = []
    silent: set[str] = set()
    unchanged = 0
    for model, prices in models.items():
        lines = live_lines(model, prices, today)
        known = held.get(model, [])
        if not lines or {_amounts_of(row) for row in known} == {_amounts_of_line(line) for line in lines}:
            unchanged += len(known)
            continue
        wanted += lines
        replaced += [row for row in known if row.valid_from == today]
        if known and not any(row.active for row in known):
            silent.add(model)  # somebody switched this model's live prices off: a new price does not undo that
    changes = _become(PriceOrigin.LIVE, replaced, wanted, off=silent)
    return Changes(changes.new, changes.changed, changes.unchanged + unchanged, changes.removed)


def _newest_live(models: Iterable[str], today: date) -> dict[str, list[Price]]:
    """The live rows of the newest day up to `today`, by model."""
    newest: defaultdict[str, list[Price]] = defaultdict(list)
    rows = Price.objects.filter(origin=PriceOrigin.LIVE, model__in=list(models), valid_from__lte=today)
    for row in rows.order_by("-valid_from"):
        known = newest[row.model]
        if not known or known[0].valid_from == row.valid_from:
            known.append(row)
    return newest


def _become(
    origin: PriceOrigin,
    held: Iterable[Price],
    wanted: Iterable[PriceLine],
    *,
    switched_on: bool = False,
    off: Iterable[str] = (),
) -> Changes:
    """Turn the rows `held` into `wanted`; new rows of the models in `off` are switched off."""
    rows = {(row.model, row.valid_from, row.above_input_tokens): row for row in held}
    lines = {line.key: line for line in wanted}
    missing = [line for key, line in lines.items() if key not in rows]
    changed = 0
    for key in rows.keys() & lines.keys():
        amounts: dict[str, int | bool | None] = {**lines[key].amounts, **({"active": True} if switched_on else {})}
        if any(getattr(rows[key], name) != value for name, value in amounts.items()):
            changed += Price.objects.filter(pk=rows[key].pk).update(**amounts)
    stale = [row.pk for key, row in rows.items() if key not in lines]
    if stale:
        Price.objects.filter(pk__in=stale).delete()
    silent = frozenset(off)
    if missing:
        Price.objects.bulk_create([_row(origin, line, active=line.model not in silent) for line in missing])
    return Changes(len(missing), changed, len(rows) - len(stale) - changed, len(stale))


def _row(origin: PriceOrigin, line: PriceLine, *, active: bool) -> Price:
    return Price(
        origin=origin,
        model=line.model,
        above_input_tokens=line.above_input_tokens,
        valid_from=line.valid_from,
        active=active,
        **line.amounts,
    )


def _day_of(row: Price) -> tuple[str, date]:
    return row.model, row.valid_from


def _amounts_of(row: Price) -> tuple[int | None, ...]:
    return row.above_input_tokens, row.input_nano, row.cached_nano, row.cache_write_nano, row.output_nano


def _amounts_of_line(line: PriceLine) -> tuple[int | None, ...]:
    return line.above_input_tokens, *line.amounts.values()

"""A rate card as a file: comma-separated, one line per model and tier, in US dollars per million tokens.

    model,above_input_tokens,input_usd,cached_input_usd,cache_write_usd,output_usd,valid_from

`model`, `input_usd` and `output_usd` must be there. An empty `above_input_tokens` is 0, the tier every model must
have; an empty cached or cache-write price is that of input; an empty `valid_from` (YYYY-MM-DD) is the day the reader
was told. Lines that begin with # say something to people. A dollar is 10¹¹ nano-AIU, and prices must be whole ones:
nothing is rounded here. The file is read to its end before anything is believed of it.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from accounts.prices.computing import HIGHEST_NANO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SHIPPED = Path(__file__).with_name("rate_card.csv")
COLUMNS = (
    "model",
    "above_input_tokens",
    "input_usd",
    "cached_input_usd",
    "cache_write_usd",
    "output_usd",
    "valid_from",
)
NANO_PER_USD = 10**11
# No sign, no exponent, and no more digits than Decimal multiplies exactly.
_PRICE = re.compile(r"\d{1,8}(?:\.\d{0,20})?|\.\d{1,20}", re.ASCII)
_LONGEST_NAME = 200
_HIGHEST_BOUND = 2**31 - 1
_NEEDED = ("model", "input_usd", "output_usd")


class CardFault(ValueError):
    """A card that cannot be read; the message says where and why."""


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One tier of one model, as a `Price` row holds it: nano-AIU per million tokens."""

    model: str
    above_input_tokens: int
    valid_from: date
    input_nano: int
    cached_nano: int | None
    cache_write_nano: int | None
    output_nano: int

    @property
    def key(self) -> tuple[str, date, int]:
        return self.model, self.valid_from, self.above_input_tokens

    @property
    def amounts(self) -> dict[str, int | None]:
        """The prices by column."""
        return {
            "input_nano": self.input_nano,
            "cached_nano": self.cached_nano,
            "cache_write_nano": self.cache_write_nano,
            "output_nano": self.output_nano,
        }


def shipped_card() -> tuple[PriceLine, ...]:
    """The card that comes with the gateway."""
    return read_card(SHIPPED.read_text(encoding="utf-8"), date.min)


def read_card(text: str, day: date) -> tuple[PriceLine, ...]:
    """The lines of a card; `day` is when prices begin that name no day. Raises CardFault."""
    found: list[PriceLine] = []
    numbers: dict[tuple[str, date, int], int] = {}
    for number, cells in _lines(text):
        line = _Cells(number, cells).line(day)
        if line.key in numbers:
            raise CardFault(
                f"Line {number}, column model: {line.model} has this tier in line {numbers[line.key]}, too."
            )
        numbers[line.key] = number
        found.append(line)
    if not found:
        raise CardFault("There are no prices in the file.")
    for model, valid_from, _above in numbers:
        if (model, valid_from, 0) not in numbers:
            number = numbers[model, valid_from, _above]
            raise CardFault(f"Line {number}, column above_input_tokens: {model} has no line for 0, its first tier.")
    return tuple(found)


def _lines(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The cells of each line by column, with the line's number. Raises CardFault for a heading that is not known."""
    numbered = [
        (number, line)
        for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    heading: list[str] | None = None
    for number, line in numbered:
        try:
            row = [cell.strip() for cell in next(csv.reader([line], strict=True))]
        except csv.Error as error:
            raise CardFault(f"Line {number} is not comma-separated: {error}.") from error
        if heading is None:
            _check_heading(number, row)
            heading = row
        elif len(row) != len(heading):
            raise CardFault(f"Line {number} has {len(row)} columns, the heading {len(heading)}.")
        else:
            yield number, dict(zip(heading, row, strict=True))


def _check_heading(number: int, names: list[str]) -> None:
    for name in names:
        if name not in COLUMNS:
            raise CardFault(f"Line {number}, column {name[:40]!r}: not known; columns are {', '.join(COLUMNS)}.")
        if names.count(name) > 1:
            raise CardFault(f"Line {number}, column {name}: it is there twice.")
    for name in _NEEDED:
        if name not in names:
            raise CardFault(f"Line {number}: the column {name} is missing.")


class _Cells:
    """One line's cells, and how each is understood."""

    def __init__(self, number: int, cells: Mapping[str, str]) -> None:
        self._number = number
        self._cells = cells

    def line(self, day: date) -> PriceLine:
        return PriceLine(
            model=self._model(),
            above_input_tokens=self._above(),
            valid_from=self._day() or day,
            input_nano=self._price("input_usd"),
            cached_nano=self._price_or_none("cached_input_usd"),
            cache_write_nano=self._price_or_none("cache_write_usd"),
            output_nano=self._price("output_usd"),
        )

    def _model(self) -> str:
        name = self._cells["model"]
        if not name or len(name) > _LONGEST_NAME or any(each.isspace() or not each.isprintable() for each in name):
            raise self._fault("model", "a model's id is needed")
        return name

    def _above(self) -> int:
        text = self._cells.get("above_input_tokens", "") or "0"
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(_HIGHEST_BOUND))):
            raise self._fault("above_input_tokens", "a number of tokens is needed")
        if int(text) > _HIGHEST_BOUND:
            raise self._fault("above_input_tokens", f"{text} is too large")
        return int(text)

    def _day(self) -> date | None:
        text = self._cells.get("valid_from", "")
        try:
            return date.fromisoformat(text) if text else None
        except ValueError as error:
            raise self._fault("valid_from", "a day is needed, as 2026-06-01") from error

    def _price(self, column: str) -> int:
        nano = self._price_or_none(column)
        if nano is None:
            raise self._fault(column, "a price is needed")
        return nano

    def _price_or_none(self, column: str) -> int | None:
        text = self._cells.get(column, "")
        if not text:
            return None
        if not _PRICE.fullmatch(text):
            raise self._fault(column, "a price in US dollars is needed")
        nano, rest = divmod(Decimal(text) * NANO_PER_USD, 1)
        if rest:
            raise self._fault(column, "a price has at most eleven decimals")
        if nano > HIGHEST_NANO:
            raise self._fault(column, "the price is too high")
        return int(nano)

    def _fault(self, column: str, reason: str) -> CardFault:
        return CardFault(f"Line {self._number}, column {column}: {reason}, not {self._cells.get(column, '')[:40]!r}.")


def model_days(lines: Iterable[PriceLine]) -> frozenset[tuple[str, date]]:
    """Which models' prices of which days the lines tell."""
    return frozenset((line.model, line.valid_from) for line in lines)

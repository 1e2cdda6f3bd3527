"""What somebody asks of the roll-ups, and how it is read from an address."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.days import this_day
from accounts.reports.dimensions import OF_DAYS, OF_SESSIONS, RELATED, Dimension, Per
from accounts.reports.measures import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from django.http import QueryDict

Value: TypeAlias = int | str | None
Choice = TypeVar("Choice", Dimension, Per)
NONE = "none"
_BIGGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """From `since` to `until`, both included. Several values of one filter widen it, several filters narrow.

    A conversation belongs to the range when its last request does, and is counted whole.
    `order` is a column of `Measures`, with `-` for the greatest first; empty: the latest and dearest first.
    """

    by: Dimension
    per: Per
    since: date
    until: date
    filters: Mapping[Dimension, tuple[Value, ...]] = field(default_factory=dict)
    order: str = ""


def parse(parameters: QueryDict, *, ignored: Collection[str] = (), of_rows: bool = False) -> ReportQuery:
    """Return what an address asks for: `by`, `per`, `since`, `until`, `order` and a filter for each dimension.

    The default is this month by member, in one piece. `of_rows`: the range and the filters are meant for single
    requests, which know every dimension. Raises ValidationError with one sentence per parameter.
    """
    reader = _Reader(parameters)
    reader.refuse_unknown(ignored)
    today = this_day()
    until = reader.day("until", today)
    query = ReportQuery(
        by=reader.choice("by", Dimension.MEMBER, Dimension),
        per=reader.choice("per", Per.RANGE, Per),
        since=reader.day("since", min(until, today).replace(day=1)),
        until=until,
        filters=reader.filters(),
        order=reader.order(),
    )
    reader.faults.update(_range_faults(query) if of_rows else _range_faults(query) | _contradictions(query))
    if reader.faults:
        raise ValidationError({name: [text] for name, text in reader.faults.items()})
    return query


def _contradictions(query: ReportQuery) -> dict[str, str]:
    faults: dict[str, str] = {}
    is_of_sessions = query.by == Dimension.SESSION
    known = OF_SESSIONS if is_of_sessions else OF_DAYS
    for name in query.filters:
        if name not in known:
            told = (
                _("Conversations are not kept by %(name)s.")
                if is_of_sessions
                else _("Only conversations have %(name)s.")
            )
            faults[name.value] = told % {"name": name.label}
    if is_of_sessions and query.per != Per.RANGE:
        faults["per"] = _("Conversations are shown for the whole range only.")
    return faults


def _range_faults(query: ReportQuery) -> dict[str, str]:
    return {"since": _("The range ends before it begins.")} if query.since > query.until else {}


class _Reader:
    """Reads parameters one by one and gathers what is wrong with them."""

    def __init__(self, parameters: QueryDict) -> None:
        self._parameters = parameters
        self.faults: dict[str, str] = {}

    def refuse_unknown(self, ignored: Collection[str]) -> None:
        known = {"by", "per", "since", "until", "order", *(name.value for name in Dimension)} - {Dimension.ALL.value}
        for name in self._parameters:
            if name not in known and name not in ignored:
                told = _("There is no parameter %(name)s; there are %(known)s.")
                self.faults[name] = told % {"name": name, "known": ", ".join(sorted(known))}

    def choice(self, name: str, default: Choice, kind: type[Choice]) -> Choice:
        text = self._parameters.get(name) or default.value
        if text in kind.values:
            return kind(text)
        self.faults[name] = _("%(value)s is none of %(known)s.") % {"value": text, "known": ", ".join(kind.values)}
        return default

    def day(self, name: str, default: date) -> date:
        text = self._parameters.get(name)
        if not text:
            return default
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.faults[name] = _("%(value)s is no day; write it as 2026-11-30.") % {"value": text}
            return default

    def order(self) -> str:
        text = self._parameters.get("order") or ""
        if text and text.removeprefix("-") not in COLUMNS:
            self.faults["order"] = _("%(value)s is none of %(known)s.") % {"value": text, "known": ", ".join(COLUMNS)}
            return ""
        return text

    def filters(self) -> dict[Dimension, tuple[Value, ...]]:
        found: dict[Dimension, tuple[Value, ...]] = {}
        for name in Dimension:
            texts = [text for text in self._parameters.getlist(name.value) if text]
            if texts and name != Dimension.ALL:
                found[name] = tuple(self._value(name, text) for text in texts)
        return found

    def _value(self, name: Dimension, text: str) -> Value:
        if text == NONE:
            return None if name in RELATED else ""
        if name not in RELATED:
            return text
        if text.isascii() and text.isdigit() and int(text) <= _BIGGEST_ID:
            return int(text)
        self.faults[name.value] = _("%(value)s is no id; write a number, or none.") % {"value": text}
        return None

"""What rows were before and after a change, in the form in which the trail keeps it.

Both are read from the database, under the lock of the trail's head: what is told is what is stored, whatever the
instance in memory held. Columns that hold secrets are told as changed, never with a value.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from django.db.models import CharField, ForeignKey, TextField

from accounts.models.act_names import Kind, act_name
from accounts.models.trail_entry import Act, TrailEntry
from accounts.trail_hash import canonical, plain
from accounts.vault import EncryptedTextField, Sealed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from django.db.models import Field, Model, QuerySet

    Column = Field[Any, Any]

BATCH = 500
_VALUE_LIMIT = 2000
_SECRET_WORDS = frozenset({"password", "digest", "secret", "token", "key"})
_EMPTY: tuple[object, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class _Seen:
    """A row at one moment: how people call it, and its columns."""

    name: str
    values: Mapping[str, Any]


class Witness:
    """Sees the given columns of rows of one model before a change, and tells the trail what became of them."""

    def __init__(self, model: type[Model], columns: Iterable[Column]) -> None:
        self._model = model
        self._columns = tuple(columns)
        self._before: dict[Any, _Seen] = {}

    @classmethod
    def of(cls, model: type[Model], quiet: Collection[str], names: Collection[str] | None = None) -> Witness:
        """A witness of the columns in `names` (None: all) that are not quiet."""
        heard = [field for field in model._meta.concrete_fields if field.name not in quiet and not field.primary_key]
        return cls(model, [f for f in heard if names is None or f.name in names or f.attname in names])

    def look(self, keys: Collection[Any]) -> None:
        """See the rows as they are before the change."""
        for chunk in _chunks([*keys]):
            self._before |= self._read(chunk)

    def tell(self, keys: Sequence[Any] | None = None, *, gone: bool = False) -> None:
        """Append what became of the rows: those that were seen before and, new, those in `keys`."""
        for chunk in _chunks([*dict.fromkeys([*self._before, *(keys or ())])]):
            after = {} if gone else self._read(chunk)
            TrailEntry.objects.append(list(self._acts(chunk, after)))

    def _acts(self, keys: Sequence[Any], after: Mapping[Any, _Seen]) -> Iterator[Act]:
        for key in keys:
            was, becomes = self._before.get(key), after.get(key)
            seen = becomes or was
            if seen is None:
                continue
            changes = self._changes(was, becomes)
            kind = Kind.CREATED if was is None else Kind.DELETED if becomes is None else Kind.CHANGED
            if changes or kind is not Kind.CHANGED:
                yield act_on(self._model, kind, key, seen.name, changes)

    def _read(self, keys: Collection[Any]) -> dict[Any, _Seen]:
        rows = self._model._base_manager.filter(pk__in=keys)
        return {row.pk: _Seen(str(row), {f.attname: getattr(row, f.attname) for f in self._columns}) for row in rows}

    def _changes(self, was: _Seen | None, becomes: _Seen | None) -> dict[str, Any]:
        told = {}
        for field in self._columns:
            values = {"old": was, "new": becomes}
            sides = {side: seen.values[field.attname] for side, seen in values.items() if seen is not None}
            if _is_news(list(sides.values())):
                told[field.name] = _changed(field, sides)
        return told


def act_on(model: type[Model], kind: Kind, key: object, name: str, changes: Mapping[str, Any]) -> Act:
    """Return the act of a change of one row."""
    kind_of_row = str(model._meta.model_name)
    return Act(act_name(kind_of_row, kind, changes), kind_of_row, str(key), name, changes)


def tell_bulk(model: type[Model], rows: Sequence[Model]) -> None:
    """Append that rows were written of which nobody can say whether they were made or changed."""
    kind_of_row = str(model._meta.model_name)
    for chunk in _chunks(rows):
        changes = {"rows": [plain(str(row), _VALUE_LIMIT) for row in chunk]}
        TrailEntry.objects.append([Act(act_name(kind_of_row, Kind.WRITTEN, changes), kind_of_row, changes=changes)])


def tell_links(field: str, owners: QuerySet[Any], verb: str, names: Sequence[str]) -> None:
    """Append that rows were linked to (`added`) or unlinked from (`removed`) those in `owners`."""
    changes = {field: {verb: list(names)}}
    TrailEntry.objects.append([act_on(type(row), Kind.CHANGED, row.pk, str(row), changes) for row in owners])


def _changed(field: Column, values: Mapping[str, Any]) -> dict[str, Any]:
    if _is_secret(field):
        return {"changed": True}
    return {name: _told(field, value) for name, value in values.items()}


def _is_secret(field: Column) -> bool:
    """Whatever is encrypted, and every text that is called a password, token, digest or the like."""
    is_text = isinstance(field, CharField | TextField)
    return isinstance(field, EncryptedTextField) or (is_text and bool(_SECRET_WORDS & set(field.name.split("_"))))


def _is_news(values: Sequence[Any]) -> bool:
    """Whether a column is worth telling: changed, or not empty in a row that was made or deleted."""
    comparable = [value.ciphertext if isinstance(value, Sealed) else value for value in values]
    return comparable[0] != comparable[1] if len(comparable) > 1 else comparable[0] not in _EMPTY


def _told(field: Column, value: Any) -> Any:
    """Return a value as JSON: rows with id and name, times in UTC, long ones cut."""
    if isinstance(field, ForeignKey) and value is not None:
        row = field.remote_field.model._base_manager.filter(pk=value).first()
        return {"id": _as_json(value), "name": "" if row is None else plain(str(row), _VALUE_LIMIT)}
    return _as_json(value)


def _as_json(value: Any) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return plain(value, _VALUE_LIMIT)
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case list() | dict() | tuple():
            text = canonical(value)
            return json.loads(text) if len(text) <= _VALUE_LIMIT else plain(text, _VALUE_LIMIT)
        case _:
            return plain(str(value), _VALUE_LIMIT)


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]

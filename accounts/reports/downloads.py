"""Files of any length: CSV and JSON written line by line while the database is read, in constant memory.

CSV is RFC 4180: CRLF, a header line, quotes where needed, and a byte order mark if asked for, which spreadsheets want
for UTF-8. A text cell that a spreadsheet would run as a formula gets an apostrophe in front. JSON is one array.
"""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

LINES_PER_PART = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Form(StrEnum):
    CSV = "csv"
    JSON = "json"


_TYPES = {Form.CSV: "text/csv; charset=utf-8", Form.JSON: "application/json"}


class Download(StreamingHttpResponse):
    """A file named `name`. Under ASGI it is made in the request's own thread, part by part, never as a whole."""

    def __init__(
        self, name: str, form: Form, header: Sequence[str], rows: Iterable[Sequence[Any]], *, mark: bool
    ) -> None:
        lines = csv_lines(header, rows, mark=mark) if form == Form.CSV else json_lines(header, rows)
        super().__init__(_parts(lines), content_type=_TYPES[form])
        self["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
        self["Cache-Control"] = "private, no-store"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = iter(self)
        take = sync_to_async(_next, thread_sensitive=True)
        while (part := await take(parts)) is not None:
            yield part


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]], *, mark: bool = False) -> Iterator[str]:
    """Yield the lines of a CSV file."""
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield ("\ufeff" if mark else "") + writer.writerow(header)
    for row in rows:
        yield writer.writerow([_cell(value) for value in row])


def json_lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield the lines of a JSON array of objects. Decimals are texts, so that no reader rounds them."""
    before = "[\n"
    for row in rows:
        yield before + json.dumps(dict(zip(header, row, strict=True)), default=_plain, ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


class _Echo:
    """What `csv` writes to: it hands the line back."""

    def write(self, text: str) -> str:
        return text


def _next(parts: Iterator[bytes]) -> bytes | None:
    return next(parts, None)


def _parts(lines: Iterable[str]) -> Iterator[bytes]:
    held: list[str] = []
    for line in lines:
        held.append(line)
        if len(held) >= LINES_PER_PART:
            yield "".join(held).encode()
            held.clear()
    if held:
        yield "".join(held).encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return "" if value is None else _plain(value) if not isinstance(value, int) else value


def _plain(value: Any) -> str:
    """A value neither CSV nor JSON knows: decimals without exponent, times and days in ISO's form."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)

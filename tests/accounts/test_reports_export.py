"""Files: exact to the letter, safe in a spreadsheet, in constant memory, and never with another member's rows."""

from __future__ import annotations

import csv
import io
import json
import resource
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import QueryDict

from accounts.models import UsageRecord
from accounts.reports import Dimension, Per, ReportQuery, Viewer
from accounts.reports.downloads import Download, Form, csv_lines, json_lines
from accounts.reports.export import ledger_download, report_download
from tests.accounts.booked import booked
from tests.accounts.rows import a_member, a_record

DAY = date(2026, 11, 1)
ALL = Viewer.everything()


def query(by: Dimension = Dimension.MODEL, per: Per = Per.RANGE, **filters: Any) -> ReportQuery:
    return ReportQuery(by, per, DAY, date(2026, 11, 30), {Dimension(name): (value,) for name, value in filters.items()})


def text_of(download: Download) -> str:
    return b"".join(download).decode()


def lines_of(download: Download) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text_of(download), newline="")))


def test_csv_has_a_header_line_ends_by_the_book_and_quotes_where_needed() -> None:
    lines = "".join(csv_lines(["name", "said"], [["rosa", 'a "b", c'], ["ben", "two\nlines"]]))
    assert lines == 'name,said\r\nrosa,"a ""b"", c"\r\nben,"two\nlines"\r\n'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_cell_that_a_spreadsheet_would_run_is_disarmed(text: str) -> None:
    lines = "".join(csv_lines(["name"], [[text]]))
    assert next(csv.reader(io.StringIO(lines.partition("\r\n")[2], newline="")))[0] == f"'{text}"


def test_numbers_are_not_taken_for_formulas_and_nothing_is_an_empty_cell() -> None:
    assert list(csv_lines(["a", "b", "c", "d"], [[-1, None, Decimal("1E+3"), DAY]]))[1] == "-1,,1000,2026-11-01\r\n"


def test_the_byte_order_mark_stands_first_if_it_is_asked_for() -> None:
    assert next(csv_lines(["a"], [], mark=True)) == "\ufeffa\r\n"


@pytest.mark.parametrize("rows", [[], [["=a", None]], [["ß", Decimal("0.10")], ["b", 3]]])
def test_json_is_one_array_with_exact_decimals_and_untouched_texts(rows: list[list[Any]]) -> None:
    read = json.loads("".join(json_lines(["name", "value"], rows)))
    assert read == [{"name": name, "value": "0.10" if isinstance(v, Decimal) else v} for name, v in rows]


@pytest.mark.django_db
def test_a_report_is_a_file_named_by_its_range() -> None:
    booked(1, served_model="=cmd()", nano_reported=1_500_000_000, input_tokens=1, cached_tokens=3, total_ms=8)
    download = report_download(ALL, query(per=Per.WEEK), QueryDict())
    assert download["Content-Disposition"] == 'attachment; filename="usage-by-model-2026-11-01-2026-11-30.csv"'
    assert download["Content-Type"] == "text/csv; charset=utf-8"
    (line,) = lines_of(download)
    told = {name: line[name] for name in ("since", "until", "name", "opened", "credits", "miss_share", "average_ms")}
    assert told == {
        "since": "2026-11-01", "until": "2026-11-01", "name": "'=cmd()", "opened": "1", "credits": "1.5",
        "miss_share": "0.2500", "average_ms": "8",
    }  # fmt: skip


@pytest.mark.django_db
def test_requests_are_a_file_of_every_column_with_the_cost_that_counts() -> None:
    booked(2, nano_computed=5)
    booked(1, nano_reported=2 * 10**9, nano_computed=7, requested_model="gpt-5", note="private")
    booked(3, day=date(2026, 12, 1))
    download = ledger_download(ALL, query(), QueryDict("format=json"))
    assert download["Content-Disposition"] == 'attachment; filename="requests-2026-11-01-2026-11-30.json"'
    first, second = json.loads(text_of(download))
    assert set(first) == {field.attname for field in UsageRecord._meta.concrete_fields} | {"nano", "credits"}
    assert (first["id"], first["nano"], first["credits"], first["note"]) == (
        str(UUID(int=1)),
        2 * 10**9,
        "2",
        "private",
    )
    assert (second["nano"], second["credits"]) == (5, "0.000000005")


@pytest.mark.django_db
@pytest.mark.parametrize("form", list(Form))
def test_a_member_gets_own_rows_without_the_owners_notes(form: Form) -> None:
    rosa, ben = a_member("rosa"), a_member("ben")
    booked(1, member=rosa, member_name="rosa", served_model="a", note="she knows nothing")
    booked(2, member=ben, member_name="ben", served_model="b")
    own = Viewer.only(rosa.pk)
    for asked in (query(), query(member=ben.pk)):
        for make in (ledger_download, report_download):
            text = text_of(make(own, asked, QueryDict(f"format={form}")))
            assert "ben" not in text
            assert "she knows nothing" not in text
    assert "rosa" in text_of(ledger_download(own, query(), QueryDict(f"format={form}")))


@pytest.mark.django_db
def test_requests_are_narrowed_by_every_dimension_of_a_report() -> None:
    member = a_member()
    booked(1, served_model="a", session="s", program="codex", member=member)
    booked(2, served_model="b")
    for name, value in (("model", "a"), ("session", "s"), ("program", "codex"), ("member", member.pk)):
        (line,) = lines_of(ledger_download(ALL, query(Dimension.MODEL, Per.RANGE, **{name: value}), QueryDict()))
        assert line["id"] == str(UUID(int=1))
    (line,) = lines_of(ledger_download(ALL, query(member=None), QueryDict()))
    assert line["id"] == str(UUID(int=2))


@pytest.mark.django_db
def test_a_format_nobody_knows_is_refused() -> None:
    for make in (report_download, ledger_download):
        with pytest.raises(ValidationError, match=r"xlsx is none of csv, json\."):
            make(ALL, query(), QueryDict("format=xlsx"))


@pytest.mark.django_db
def test_two_hundred_thousand_requests_pass_through_little_memory() -> None:
    """Held as a whole they would take more than their length; tracing each allocation would take minutes."""
    _copy_of(a_record(1, day=DAY), 200_000)
    download = ledger_download(ALL, query(), QueryDict())
    size, highest, begun = 0, 0, _resident()
    for part in download:
        size += len(part)
        highest = max(highest, _resident())
    assert size > 30_000_000
    assert highest - begun < 30_000_000


@pytest.mark.django_db(transaction=True)
async def test_under_an_event_loop_the_file_is_made_part_by_part() -> None:
    made: list[int] = []

    def rows() -> Any:
        for number in range(5000):
            made.append(number)
            yield [number]

    download = Download("numbers", Form.CSV, ["number"], rows(), mark=False)
    parts = aiter(download)
    first = await anext(parts)
    assert first.startswith(b"number\r\n0\r\n")
    assert len(made) < 1000
    rest = [part async for part in parts]
    assert b"".join([first, *rest]).count(b"\r\n") == 5001


def _resident() -> int:
    """The bytes of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _copy_of(record: UsageRecord, copies: int) -> None:
    """Fill the ledger with copies of a row, by the database itself."""
    columns = [str(field.column) for field in UsageRecord._meta.concrete_fields if field.column != "id"]
    names, number = ", ".join(columns), "printf('%%032x', n)"
    if connection.vendor == "postgresql":
        number = "lpad(to_hex(n), 32, '0')::uuid"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO accounts_usagerecord (id, {names}) WITH RECURSIVE numbers(n) AS"
            f" (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n <= %s) SELECT {number}, {names}"
            " FROM numbers, accounts_usagerecord",
            [copies],
        )

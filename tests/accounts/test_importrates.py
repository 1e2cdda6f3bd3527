"""`manage.py importrates` as an operator runs it."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from accounts.models import Price, PriceOrigin, TrailEntry
from accounts.prices.files import SHIPPED
from tests.bench.processes import ROOT
from tests.gateway import environment

pytestmark = pytest.mark.django_db

HEADING = "model,above_input_tokens,input_usd,cached_input_usd,cache_write_usd,output_usd,valid_from"
OPUS = "claude-opus-9,0,5,0.5,6.25,25,"


@pytest.fixture
def card(tmp_path: Path) -> Path:
    return tmp_path / "rates.csv"


def ran(card: Path, *lines: str, **options: object) -> str:
    if lines:
        card.write_text("\n".join(lines))
    out = io.StringIO()
    call_command("importrates", card, stdout=out, **options)
    return out.getvalue()


def imported() -> list[tuple[str, date, int]]:
    rows = Price.objects.filter(origin=PriceOrigin.IMPORT).order_by("model", "above_input_tokens")
    return [(row.model, row.valid_from, row.input_nano) for row in rows]


def test_it_says_how_many_prices_are_new_changed_and_unchanged(card: Path) -> None:
    assert ran(card, HEADING, OPUS, "b,0,1,,,2,") == "Prices: 2 new, 0 changed, 0 unchanged.\n"
    assert ran(card) == "Prices: 0 new, 0 changed, 2 unchanged.\n"
    assert ran(card, HEADING, OPUS, "b,0,3,,,2,", "c,0,1,,,2,") == "Prices: 1 new, 1 changed, 1 unchanged.\n"
    assert [row[0] for row in imported()] == ["b", "c", "claude-opus-9"]


def test_a_tier_that_the_file_no_longer_has_is_said_to_be_removed(card: Path) -> None:
    ran(card, HEADING, OPUS, "claude-opus-9,200000,9,,,9,")
    assert ran(card, HEADING, OPUS) == "Prices: 0 new, 0 changed, 1 unchanged, 1 removed.\n"


def test_prices_begin_today_or_on_the_day_that_was_named_or_on_their_own(card: Path) -> None:
    ran(card, HEADING, OPUS)
    assert imported()[0][1] == timezone.localdate()
    Price.objects.all().delete()
    ran(card, HEADING, OPUS, "z,0,1,,,2,2026-08-01", day=date(2026, 7, 1))
    assert [row[1] for row in imported()] == [date(2026, 7, 1), date(2026, 8, 1)]


def test_a_dry_run_says_the_same_and_writes_nothing(card: Path) -> None:
    told = ran(card, HEADING, OPUS, dry_run=True)
    assert told == "Prices: 1 new, 0 changed, 0 unchanged. Nothing was written (--dry-run).\n"
    assert imported() == []


def test_one_mistake_and_nothing_is_imported(card: Path) -> None:
    with pytest.raises(CommandError) as caught:
        ran(card, HEADING, OPUS, "b,0,free,,,2,")
    assert str(caught.value) == (
        f"{card}: Line 3, column input_usd: a price in US dollars is needed, not 'free'. Nothing was imported."
    )
    assert imported() == []


def test_a_file_that_cannot_be_read_is_told_in_one_sentence(card: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        ran(card)
    card.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CommandError, match="is not UTF-8 text"):
        ran(card)


def test_the_trail_names_the_model(card: Path) -> None:
    ran(card, HEADING, OPUS)
    newest = TrailEntry.objects.first()
    assert newest is not None
    assert "claude-opus-9" in newest.subject_name + newest.detail


def test_the_shipped_file_can_be_imported_as_it_is(card: Path) -> None:
    card.write_bytes(SHIPPED.read_bytes())
    assert " 0 changed, 0 unchanged." in ran(card)
    assert ("claude-opus-4.5", date(2026, 6, 1), 500 * 10**9) in imported()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--help"], 0, HEADING),
        (["x.csv", "--from", "tomorrow"], 2, "'tomorrow' is no day; write it as 2026-06-01"),
        (["/nowhere/x.csv"], 1, "CommandError: /nowhere/x.csv cannot be read"),
    ],
)
def test_the_command_line_explains_itself_and_fails_with_a_code(
    tmp_path: Path, words: list[str], code: int, told: str
) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "importrates", *words],
        cwd=ROOT, env=environment(tmp_path, "http://127.0.0.1:9"),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code
    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stderr

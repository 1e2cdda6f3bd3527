"""`manage.py importrates`: take prices from a file into the rate card, all of them or none."""

from __future__ import annotations

from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.prices.files import COLUMNS, CardFault, read_card
from accounts.prices.rows import import_prices

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

_COLUMNS = f"""
The file is comma-separated text in UTF-8 with a heading. Its columns, in any order:

  {",".join(COLUMNS)}

  model               the model's id, as GET /v1/models lists it (needed)
  above_input_tokens  the tier holds for requests with more input than this; empty: 0, the tier every model must have
  input_usd           US dollars per million input tokens (needed)
  cached_input_usd    the same for input read from a cache; empty: as input
  cache_write_usd     the same for input written to a cache; empty: as input
  output_usd          the same for output (needed)
  valid_from          the first day, as 2026-06-01; empty: the day of --from

Lines that begin with # are not read. For each model in the file the imported prices of that day become those of the
file. Imported prices win over those of GitHub's model list and over those that came with the gateway, which is the
file accounts/prices/rate_card.csv in this same form.
"""


class Command(BaseCommand):
    help = "Imports prices into the rate card: the whole file, or nothing when something in it is wrong."

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        options |= {"epilog": _COLUMNS, "formatter_class": RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **options)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", type=Path)
        parser.add_argument(
            "--from",
            dest="day",
            type=_day,
            default=None,
            metavar="DATE",
            help="the first day of prices that name none, as 2026-06-01 (default: today)",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    def handle(self, *_args: Any, file: Path, day: date | None, dry_run: bool, **_options: Any) -> None:
        try:
            lines = read_card(_text(file), day or timezone.localdate())
        except CardFault as fault:
            raise CommandError(f"{file}: {fault} Nothing was imported.") from fault
        changes = import_prices(lines, dry_run=dry_run)
        told = f"{changes.new} new, {changes.changed} changed, {changes.unchanged} unchanged"
        told += f", {changes.removed} removed" if changes.removed else ""
        self.stdout.write(f"Prices: {told}." + (" Nothing was written (--dry-run)." if dry_run else ""))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is not UTF-8 text.") from error


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no day; write it as 2026-06-01") from error

"""`manage.py verifytrail`: walk the trail's chain and say whether it is whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from accounts.trail import verify

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

_HASH = re.compile(r"[0-9a-f]{64}")


class Command(BaseCommand):
    help = (
        "Verifies the hash chain of the trail. Keep the printed hash of the head elsewhere: with --expect it proves "
        "later that nothing before it was rewritten."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--expect", default="", metavar="HASH", help="a hash that must be in the chain")

    def handle(self, *_args: Any, expect: str, **_options: Any) -> None:
        expected = expect.strip().lower()
        if expected and not _HASH.fullmatch(expected):
            raise CommandError("--expect takes a hash of 64 hexadecimal digits, as verifytrail prints it.")
        verdict = verify(expected)
        if not verdict.is_intact:
            raise CommandError(verdict.sentence)
        self.stdout.write(verdict.sentence)

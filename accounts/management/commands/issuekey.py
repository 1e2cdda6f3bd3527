"""`manage.py issuekey`: issue an API key and print it, alone, on standard output."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import ApiKey, Member

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Issues an API key for a member and prints it; it cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USERNAME")
        parser.add_argument("--name", default="", metavar="TEXT", help="what the key is for")
        parser.add_argument("--expires", type=int, metavar="DAYS", help="days until the key ends (default: never)")

    def handle(self, *_args: Any, username: str, name: str, expires: int | None, **_options: Any) -> None:
        member = Member.objects.filter(username=username, is_active=True).first()
        if member is None:
            raise CommandError(f"There is no active member '{username}'.")
        if expires is not None and expires < 1:
            raise CommandError("--expires takes a number of days, 1 or more.")
        expires_at = None if expires is None else timezone.now() + timedelta(days=expires)
        try:
            _key, text = ApiKey.objects.issue(member, name, expires_at=expires_at)
        except ValidationError as fault:
            raise CommandError(" ".join(fault.messages)) from fault
        self.stdout.write(text)

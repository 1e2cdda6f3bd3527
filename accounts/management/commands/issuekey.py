"""`manage.py issuekey`: issue an API key and print it, alone, on standard output."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import ApiKey, Door, Member

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

_NUMBERS = {
    "rpm": ("requests_per_minute", "requests that may begin in a minute"),
    "tpm": ("tokens_per_minute", "tokens of input and output that may be used in a minute"),
    "concurrent": ("concurrent_requests", "requests that may run at once"),
}
_LISTS = {
    "doors": ("doors", "LIST", f"doors it may enter, with commas between: {', '.join(Door.values)} (default: all)"),
    "models": ("models", "LIST", "models it may use, with commas between, * as a wildcard (default: all)"),
    "addresses": ("addresses", "LIST", "networks it may be used from, with commas between (default: everywhere)"),
}
_OPTION_OF = {name: f"--{option}" for option, (name, *_rest) in (_NUMBERS | _LISTS).items()}


class Command(BaseCommand):
    help = "Issues an API key for a member and prints it; it cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USERNAME")
        parser.add_argument("--name", default="", metavar="TEXT", help="what the key is for")
        parser.add_argument("--expires", type=int, metavar="DAYS", help="days until the key ends (default: never)")
        for option, (_name, metavar, text) in _LISTS.items():
            parser.add_argument(f"--{option}", default="", metavar=metavar, help=text)
        for option, (_name, text) in _NUMBERS.items():
            parser.add_argument(f"--{option}", type=int, metavar="N", help=f"{text} (default: no limit)")

    def handle(self, *_args: Any, username: str, name: str, expires: int | None, **options: Any) -> None:
        member = Member.objects.filter(username=username, is_active=True).first()
        if member is None:
            raise CommandError(f"There is no active member '{username}'.")
        if expires is not None and expires < 1:
            raise CommandError("--expires takes a number of days, 1 or more.")
        expires_at = None if expires is None else timezone.now() + timedelta(days=expires)
        try:
            _key, text = ApiKey.objects.issue(member, name, expires_at=expires_at, **_limits(options))
        except ValidationError as fault:
            raise CommandError(_told(fault)) from fault
        self.stdout.write(text)


def _limits(options: dict[str, Any]) -> dict[str, Any]:
    limits: dict[str, Any] = {name: options[option] for option, (name, _text) in _NUMBERS.items()}
    for option, (name, _metavar, _text) in _LISTS.items():
        limits[name] = [word.strip() for word in options[option].split(",") if word.strip()]
    return limits


def _told(fault: ValidationError) -> str:
    """The sentences, each behind the option it concerns."""
    sentences = []
    for name, texts in fault.message_dict.items():
        option = _OPTION_OF.get(name)
        sentences += [f"{option}: {text}" if option else text for text in texts]
    return " ".join(sentences)

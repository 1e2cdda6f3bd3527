"""`manage.py explain`: say which route, model, seat, upstream format and price a model name would get, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from django.core.management.base import BaseCommand, CommandError

from accounts.directory import load_snapshot
from accounts.dry_run import ASKED, try_out
from accounts.explanation import without_key
from accounts.first_start import find_owner
from accounts.models import Door

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from accounts.directory import Caller, Snapshot


class Command(BaseCommand):
    help = (
        "Explains what a requested model name becomes for a key; without --key, for the owner without a key's limits."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", metavar="MODEL")
        parser.add_argument(
            "--key", default="", metavar="PREFIX", help="the first characters of a key, as its list shows"
        )
        parser.add_argument(
            "--door", default="", choices=[door.value for door in ASKED], help="the interface the request would use"
        )

    def handle(self, *_args: Any, model: str, key: str, door: str, **_options: Any) -> None:
        snapshot = load_snapshot()
        caller = _caller(snapshot, key)
        found = async_to_sync(try_out)(snapshot, caller, model, door=Door(door) if door else None)
        for line in found.lines():
            self.stdout.write(line)
        if found.refusals:
            raise CommandError(str(found.refusals[0]))


def _caller(snapshot: Snapshot, prefix: str) -> Caller:
    if prefix:
        found = [caller for caller in snapshot.callers.values() if caller.key_hint.startswith(prefix)]
        if len(found) != 1:
            raise CommandError(f"{len(found)} active keys begin with '{prefix}'; name one.")
        return found[0]
    owner = find_owner()
    if owner is None:
        raise CommandError("There is no owner yet; run setup first, or name a key with --key.")
    return without_key(owner)

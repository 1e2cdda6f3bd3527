"""`manage.py explain`: say which route, model, seat, upstream format and price a model name would get, and why."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.directory import load_snapshot
from accounts.explanation import explain, without_key
from accounts.first_start import find_owner
from accounts.github import open_github
from accounts.stores import CatalogueCopies, SeatStore
from bridge.copilot.catalogue import CatalogueKeeper
from bridge.copilot.keeper import TokenKeeper
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from accounts.directory import Caller, Snapshot
    from accounts.explanation import Explanation


class Command(BaseCommand):
    help = (
        "Explains what a requested model name becomes for a key; without --key, for the owner without a key's limits."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", metavar="MODEL")
        parser.add_argument(
            "--key", default="", metavar="PREFIX", help="the first characters of a key, as its list shows"
        )

    def handle(self, *_args: Any, model: str, key: str, **_options: Any) -> None:
        snapshot = load_snapshot()
        caller = _caller(snapshot, key)
        try:
            explanation = async_to_sync(_explain)(snapshot, caller, model)
        except BridgeError as fault:
            raise CommandError(str(fault)) from fault
        for line in explanation.lines():
            self.stdout.write(line)


async def _explain(snapshot: Snapshot, caller: Caller, model: str) -> Explanation:
    async with open_github() as github:
        keeper = TokenKeeper(SeatStore(), github.http, github.profile, github.origins, owner="explain")
        catalogues = CatalogueKeeper(CatalogueCopies(), keeper, github.http, github.profile)
        try:
            return await explain(
                snapshot,
                caller,
                model,
                catalogues.get,
                now=time.time(),
                page=f"{settings.PUBLIC_URL}/auth/device",
                overflow=settings.BRIDGE_OVERFLOW,
            )
        finally:
            await catalogues.aclose()
            await keeper.aclose()


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

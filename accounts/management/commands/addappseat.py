"""`manage.py addappseat`: add an organisation's GitHub App as a seat; its private key comes on standard input."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from django.core.management.base import BaseCommand, CommandError

from accounts.app_seats import AppWish, connect_app
from accounts.github import open_github
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

_LONGEST_KEY = 16_384


class Command(BaseCommand):
    help = (
        "EXPERIMENTAL. Adds an organisation's GitHub App with the permission “Copilot Requests: write” as a seat of "
        "the team. The private key (PEM) is read from standard input, never from an argument."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--app", required=True, metavar="CLIENT_ID", help="the client id of the app")
        parser.add_argument("--installation", required=True, type=int, metavar="N", help="the id of the installation")
        parser.add_argument("--host", default="github.com", metavar="HOST", help="github.com or TENANT.ghe.com")
        parser.add_argument("--label", default="", metavar="TEXT", help="a name for the seat")
        parser.add_argument(
            "--accept-risk", action="store_true", help="go on although another seat serves the same people"
        )

    def handle(self, *_args: Any, app: str, installation: int, **options: Any) -> None:
        key = sys.stdin.read(_LONGEST_KEY)
        if not key.strip():
            raise CommandError("Standard input holds no private key.")
        accepted: bool = options["accept_risk"]
        wish = AppWish(app, installation, key, options["host"], options["label"], risk_accepted=accepted)
        try:
            async_to_sync(self._connect)(wish)
        except BridgeError as fault:
            raise CommandError(str(fault)) from fault

    async def _connect(self, wish: AppWish) -> None:
        async with open_github() as github:
            connected = await connect_app(github, wish)
        self.stdout.write(connected.sentence)
        if connected.warning:
            self.stderr.write(f"Warning: {connected.warning}")

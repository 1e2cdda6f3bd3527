"""`manage.py addseat`: connect a GitHub account, by a token on standard input or by the device flow."""

from __future__ import annotations

import asyncio
import sys
from getpass import getpass
from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.github import open_github
from accounts.models import Member, Serves
from accounts.seats import Wish, connect
from accounts.serving import RiskNotAccepted
from accounts.signin import advance, cancel, start
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from accounts.models import DeviceLogin


class Command(BaseCommand):
    help = "Connects a GitHub account with Copilot. The token is read from standard input, never from an argument."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--owner", required=True, metavar="USERNAME", help="the member whose seat it is")
        parser.add_argument("--serves", choices=Serves.values, default=Serves.OWNER.value, help="whom it serves")
        parser.add_argument("--host", default="github.com", metavar="HOST", help="github.com or TENANT.ghe.com")
        parser.add_argument("--label", default="", metavar="TEXT", help="a name for the seat")
        parser.add_argument(
            "--accept-risk",
            action="store_true",
            help="connect it although another seat serves the same people, which GitHub may suspend accounts for",
        )
        parser.add_argument("--login", action="store_true", help="sign in with a code instead of a token")

    def handle(self, *_args: Any, owner: str, login: bool, **options: Any) -> None:
        member = Member.objects.filter(username=owner, is_active=True).first()
        if member is None:
            raise CommandError(f"There is no active member '{owner}'.")
        wish = Wish(member, options["host"], options["serves"], options["label"], True, options["accept_risk"])
        try:
            if login:
                async_to_sync(self._sign_in)(member, wish)
            else:
                async_to_sync(self._connect)(_read_token(), wish)
        except RiskNotAccepted as fault:
            raise CommandError(f"{fault} With --accept-risk it is connected all the same.") from fault
        except BridgeError as fault:
            raise CommandError(str(fault)) from fault

    async def _connect(self, token: str, wish: Wish) -> None:
        async with open_github() as github:
            connected = await connect(github, token, wish)
        self.stdout.write(connected.sentence)
        if connected.warning:
            self.stderr.write(f"Warning: {connected.warning}")

    async def _sign_in(self, member: Member, wish: Wish) -> None:
        async with open_github() as github:
            login = await start(
                github,
                member,
                host=wish.host,
                serves=wish.serves,
                label=wish.label,
                risk_accepted=wish.risk_accepted,
            )
            self.stdout.write(f"Open {login.verification_uri} and enter the code {login.user_code}")
            self.stdout.flush()
            while login.is_pending:
                await asyncio.sleep(_seconds_until_due(login))
                login = await advance(github, login, by_operator=True)
                if login.awaits_confirmation:
                    await cancel(login)
                    raise CommandError(f"{login.detail} With --accept-risk it is connected all the same.")
        if not login.is_connected:
            reason = login.get_failure_display() if login.failure else f"The sign-in is {login.get_state_display()}."
            raise CommandError(f"{reason} {login.detail}".strip())
        self.stdout.write(login.detail)


def _read_token() -> str:
    token = getpass("GitHub token: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not token.strip():
        raise CommandError("Standard input holds no GitHub token.")
    return token.strip()


def _seconds_until_due(login: DeviceLogin) -> float:
    due = min(login.next_poll_at, login.expires_at)
    return max((due - timezone.now()).total_seconds(), 0.05)

"""`manage.py acceptmodel`: agree to a model's terms at GitHub on behalf of a seat's account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from django.core.management.base import BaseCommand, CommandError

from accounts.github import open_github
from accounts.models import Seat, SeatState
from accounts.stores import SeatStore
from bridge.copilot.keeper import TokenKeeper
from bridge.copilot.policy import accept_terms
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = (
        "Enables a model that asks for consent to its terms before its first use. You agree to GitHub's terms for "
        "the account of the seat; read them at https://github.com/settings/copilot/features first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", metavar="MODEL", help="the model's id as GitHub Copilot lists it")
        parser.add_argument("--seat", type=int, metavar="ID", help="the seat; needed when there is more than one")

    def handle(self, *_args: Any, model: str, seat: int | None, **_options: Any) -> None:
        chosen = _seat(seat)
        try:
            async_to_sync(_accept)(chosen.pk, model)
        except BridgeError as fault:
            raise CommandError(str(fault)) from fault
        self.stdout.write(f"{chosen.account} may use {model} now.")


async def _accept(seat: int, model: str) -> None:
    async with open_github() as github:
        keeper = TokenKeeper(SeatStore(), github.http, github.profile, github.origins, owner="acceptmodel")
        try:
            await accept_terms(github.http, github.profile, await keeper.bearer(seat), model)
        finally:
            await keeper.aclose()


def _seat(wanted: int | None) -> Seat:
    seats = list(Seat.objects.exclude(state=SeatState.DISABLED).order_by("pk"))
    if wanted is not None:
        seats = [seat for seat in seats if seat.pk == wanted]
    if len(seats) == 1:
        return seats[0]
    if not seats:
        raise CommandError("There is no such seat.")
    named = ", ".join(f"{seat.pk} ({seat.account})" for seat in seats[:20])
    raise CommandError(f"There are {len(seats)} seats; name one with --seat: {named}.")

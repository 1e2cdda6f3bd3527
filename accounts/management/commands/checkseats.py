"""`manage.py checkseats`: ask GitHub about every seat, one line each."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.core.management.base import BaseCommand, CommandError

from accounts.github import open_github
from accounts.models import Seat
from accounts.seats import Checked, check


class Command(BaseCommand):
    help = "Asks GitHub about every seat and clears a resting or exhausted state that no longer holds."

    def handle(self, *_args: Any, **_options: Any) -> None:
        checked = async_to_sync(self._check_all)(list(Seat.objects.all()))
        unwell = [found for found in checked if not found.well]
        if unwell:
            raise CommandError(f"{len(unwell)} of {len(checked)} seats cannot be used.")

    async def _check_all(self, seats: list[Seat]) -> list[Checked]:
        checked = []
        async with open_github() as github:
            for seat in seats:
                checked.append(await check(github, seat))
                self.stdout.write(checked[-1].sentence)
        return checked

"""`manage.py setup`: make the database, the owner and a first key, and say what to do next."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from accounts.first_start import NameTaken, greeting, prepare


class Command(BaseCommand):
    help = "Migrates and makes what an installation needs; a second run changes nothing."

    def handle(self, *_args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=max(options["verbosity"] - 1, 0), stdout=self.stdout)
        try:
            start = prepare()
        except NameTaken as fault:
            raise CommandError(str(fault)) from fault
        for line in greeting(start):
            self.stdout.write(line)

"""`manage.py reencrypt`: write every stored secret anew with the first encryption key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.trail import append
from accounts.vault import VaultLocked, reencrypt


class Command(BaseCommand):
    help = "Writes every stored secret anew with the first key of BRIDGE_ENCRYPTION_KEYS."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            done = reencrypt()
        except VaultLocked as fault:
            raise CommandError(str(fault)) from fault
        append("secrets.reencrypted", changes={"rewritten": done.rewritten, "unreadable": done.unreadable})
        self.stdout.write(f"Secrets written anew: {done.rewritten}")
        if done.unreadable:
            raise CommandError(
                f"{done.unreadable} stored secrets cannot be decrypted: BRIDGE_ENCRYPTION_KEYS lacks their key."
            )

"""A database file of its own for the volume run, and Django set up upon it."""

from __future__ import annotations

import os
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection


def set_up(folder: Path) -> None:
    """Point the project's own settings at a database in `folder`; to be called before any model is imported."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in [name for name in os.environ if name.startswith("BRIDGE_") or name in {"DATABASE_URL", "REDIS_URL"}]:
        del os.environ[name]
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "proxy.settings", "BRIDGE_ENV_FILE": os.devnull, "BRIDGE_DATA_DIR": str(folder),
        "ALLOWED_HOSTS": "testserver", "LOG_LEVEL": "ERROR",
    }  # fmt: skip
    django.setup()


def migrate() -> None:
    """Make the tables; durability is of no interest while they are filled."""
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.execute("PRAGMA cache_size=-400000")

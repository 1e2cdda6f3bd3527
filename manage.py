#!/usr/bin/env python
"""Django's command line for this project."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

from accounts.actor import GATEWAY, acting

# What these do is done by the gateway they run.
SERVERS = {"serve", "runserver"}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxy.settings")
    command = next(iter(sys.argv[1:]), "help")
    with acting(None, GATEWAY.name if command in SERVERS else f"command {command}"):
        execute_from_command_line(sys.argv)

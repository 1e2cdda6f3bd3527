"""`manage.py serve`: the gateway behind uvicorn, with lifespan, graceful end and, when asked for, several processes."""

from __future__ import annotations

import socket
from argparse import ArgumentParser
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import ModelRoute
from accounts.prices.rows import sync_shipped

# What a running stream gets to end by itself after SIGTERM.
GRACEFUL_SECONDS = 20


class Command(BaseCommand):
    help = "Serve the gateway."
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)

    def handle(self, *_args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        ModelRoute.objects.sync_origins(settings.MODEL_MAPPING)
        sync_shipped()
        _check_free(host, port)
        self.stdout.write(f"Serving on http://{host}:{port} — end with Ctrl-C.")
        uvicorn.run(
            "proxy.asgi:application",
            host=host,
            port=port,
            workers=settings.WEB_CONCURRENCY,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=GRACEFUL_SECONDS,
            backlog=4096,
        )


def _check_free(host: str, port: int) -> None:
    """One sentence instead of a traceback when another program has the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"{host}:{port} cannot be listened on ({error.strerror}). Give another with --port or PORT."
            ) from error

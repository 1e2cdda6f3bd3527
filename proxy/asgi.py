"""The ASGI application: API doors to the lean handler, pages to Django's own, and the process's life.

A server with a lifespan starts and stops the runtime; under one without (daphne) the first request starts it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxy.settings")
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402 - the apps must be ready first

from proxy.lean import LeanHandler, Receive, Scope, Send  # noqa: E402
from proxy.runtime import Runtime  # noqa: E402

_PAGES = frozenset({"", "admin", "auth", "me", "signin", "signout", "password", "i18n", "static", "api", "favicon.ico"})


class Application:
    def __init__(self) -> None:
        self.runtime = Runtime()
        self._doors = LeanHandler(self.runtime, "proxy.doors")
        self._pages = get_asgi_application()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http" if _is_page(scope):
                await self._pages(dict(scope), receive, self._with_request_id(send))
            case "http":
                await self._doors(scope, receive, send)
            case "lifespan":
                await self._live(receive, send)
            case "websocket":
                await _refuse_websocket(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.runtime.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.runtime.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _with_request_id(self, send: Send) -> Send:
        request_id = str(self.runtime.ids.request()).encode()

        async def marked(message: Mapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), (b"x-request-id", request_id)]}
            await send(message)

        return marked


async def _refuse_websocket(scope: Scope, receive: Receive, send: Send) -> None:
    """426 where the server can say it, upon which Codex goes on over HTTP; `serve` hands such requests to the door."""
    await receive()
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1000})
        return
    await send({"type": "websocket.http.response.start", "status": 426, "headers": [(b"connection", b"close")]})
    await send({"type": "websocket.http.response.body", "body": b"There are no WebSockets here. Use POST."})


def _is_page(scope: Scope) -> bool:
    first = str(scope["path"]).split("/", 2)[1] if str(scope["path"]).startswith("/") else ""
    return first in _PAGES and not (first == "" and scope["method"] == "HEAD")


application = Application()

"""The ASGI program: reads a request, finds which of the three services it is for, and sees it through to its end.

    /github/...   github.com            /ghe/TENANT/github/...
    /api/...      api.github.com        /ghe/TENANT/api/...
    /copilot/...  the Copilot API       /ghe/TENANT/copilot/...      (/copilot-TIER/... is one tier's own host)
    /_sim/...     the control API

Whatever happens, the log says how the request ended: completed, cancelled by the client, reset or hung up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from urllib.parse import parse_qsl

from tests.simulator import capi, control, device, github
from tests.simulator.line import ConnectionLine
from tests.simulator.wire import Message, Receive, Received, Refusal, Request, Send, Wire
from tests.simulator.world import World

Handler = Callable[[World, Request, Wire], Awaitable[None]]

_HANDLERS: Mapping[str, Handler] = MappingProxyType({
    "github": device.handle, "api": github.handle, "copilot": capi.handle, "_sim": control.handle,
})  # fmt: skip
_TIERS = ("individual", "business", "enterprise")
_ORIGINS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {name: (name, "") for name in _HANDLERS} | {f"copilot-{tier}": ("copilot", tier) for tier in _TIERS}
)
_GUARDED = {
    "content-security-policy": "default-src 'none'; sandbox",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-github-backend": "Kubernetes",
    "x-copilot-api-exp-assignment-context": "",
}


class Simulator:
    """The application; hand it to a server whose protocol is `line.LineProtocol`."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        line: ConnectionLine = scope["extensions"]["simulator.line"]
        body, complete = await _read(receive)
        line.resume_reading()
        request = _request(self.world, scope, body)
        record = Received(request, self.world.time())
        wire = Wire(send, line, record, self.world.time)
        if request.origin != "_sim":
            self.world.remember(record)
        if not complete:
            wire.lost()
            return
        await self._see_through(request, wire, line)

    async def _see_through(self, request: Request, wire: Wire, line: ConnectionLine) -> None:
        task = asyncio.current_task()
        assert task is not None
        line.watch(wire, task)
        try:
            await self._answer(request, wire)
        except asyncio.CancelledError:
            if wire.record.outcome != "cancelled":
                raise
        finally:
            line.unwatch()
            self.world.forget(request.number)
        if wire.broken and wire.record.outcome != "cancelled":
            await wire.wait_lost()

    async def _answer(self, request: Request, wire: Wire) -> None:
        handler = _HANDLERS.get(request.origin)
        _dress(self.world, request, wire)
        try:
            if handler is None:
                raise Refusal(404, b"nothing here: see tests/simulator/app.py\n")
            await handler(self.world, request, wire)
        except Refusal as refusal:
            if wire.started:
                raise
            await wire.refuse(refusal)


def _request(world: World, scope: Message, body: bytes) -> Request:
    origin, tier, path = _place(scope["path"])
    return Request(
        method=scope["method"],
        path=path,
        query=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
        origin=origin,
        tier=tier,
        number=0 if origin == "_sim" else world.next_number(),
        world=world.lives,
    )


def _place(path: str) -> tuple[str, str, str]:
    """Return origin, tier and the path below the prefix; origin "" when nobody lives there."""
    first, _, rest = path[1:].partition("/")
    if first != "ghe":
        origin, tier = _ORIGINS.get(first, ("", ""))
        return origin, tier, f"/{rest}"
    tenant, _, rest = rest.partition("/")
    origin, _, rest = rest.partition("/")
    return (origin if origin in ("github", "api", "copilot") else ""), f"ghe:{tenant}", f"/{rest}"


def _dress(world: World, request: Request, wire: Wire) -> None:
    """Set the headers every answer of the origin carries."""
    if request.origin == "_sim":
        return
    wire.head["x-github-request-id"] = world.github_id(request.number)
    if request.origin != "copilot":
        return
    own = world.digest("request", request.number)
    wire.head["x-request-id"] = request.headers.get("x-request-id") or _uuid(own)
    wire.good_head["x-copilot-service-request-id"] = _uuid(own[32:])
    wire.bad_head.update(_GUARDED)
    if request.tier.startswith("ghe:"):
        tenant = request.tier.removeprefix("ghe:")
        wire.bad_head |= {"server": "github.com", "x-glb-log-append": f"tenant={tenant},service=copilot-api"}


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


async def _read(receive: Receive) -> tuple[bytes, bool]:
    """Return the body and whether all of it came."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts), False
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts), True


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return

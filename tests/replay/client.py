"""The clients of a replay: each sends one request, reads its answer as far as it wants to, and notes what it saw."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import aiohttp
import msgspec

from tests.replay.asks import Ask
from tests.replay.evidence import Ended, Seen

ANSWER_SECONDS = 60.0
_PAUSE = 0.05

_TERMINAL = {
    "chat": re.compile(rb"^data: \[DONE\]$", re.MULTILINE),
    "messages": re.compile(rb"^event: message_stop$", re.MULTILINE),
    "responses": re.compile(rb"^event: response\.(?:completed|incomplete)$", re.MULTILINE),
}
_ERROR = {
    "chat": re.compile(rb'^data: \{"error"', re.MULTILINE),
    "messages": re.compile(rb"^event: error$", re.MULTILINE),
    "responses": re.compile(rb"^event: (?:response\.failed|error)$", re.MULTILINE),
}


@dataclass(slots=True)
class Server:
    """Where the gateway is, and which of its lives this is. `up` is clear while nobody listens."""

    url: str = ""
    life: int = 0
    up: asyncio.Event = field(default_factory=asyncio.Event)
    in_flight: int = 0


@dataclass(slots=True)
class _Heard:
    """What has come of an answer so far."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    is_whole: bool = False


def ending(door: str, body: bytes, *, streamed: bool) -> Ended | None:
    """What the bytes of a good status say of the end: COMPLETE, BROKEN, or None when it is not among them.

    The last empty line counts: an event is there when it can be dispatched.
    """
    if not streamed:
        return Ended.COMPLETE if _is_json(body) else None
    whole = body[: body.rfind(b"\n\n") + 2]
    if _ERROR[door].search(whole):
        return Ended.BROKEN
    return Ended.COMPLETE if _TERMINAL[door].search(whole) else None


async def send(session: aiohttp.ClientSession, server: Server, ask: Ask, secret: str) -> Seen:
    """Send the request once it can arrive, and return what was seen of its answer."""
    while True:
        await server.up.wait()
        life = server.life
        heard = _Heard()
        server.in_flight += 1
        try:
            ended = await _hear(session, server.url, ask, secret, heard)
        except aiohttp.ClientConnectorError:  # nobody listened: it was not sent
            await asyncio.sleep(_PAUSE)
            continue
        finally:
            server.in_flight -= 1
        seen = _seen(ask, ended, life, heard)
        if ended is Ended.LOST:
            await server.up.wait()
        return replace(seen, last_life=server.life)


async def _hear(session: aiohttp.ClientSession, url: str, ask: Ask, secret: str, heard: _Heard) -> Ended:
    leave = ask.leave
    patience = leave.seconds if leave is not None and leave.seconds is not None else ANSWER_SECONDS
    most = leave.packets if leave is not None else None
    try:
        async with asyncio.timeout(patience):
            await _read(session, url, ask, secret, heard, most)
    except TimeoutError:
        if leave is None:
            return Ended.SILENT
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientError, ConnectionError):
        return _ended(ask, heard) or Ended.LOST
    ended = _ended(ask, heard)
    if ended is not None:
        return ended
    return Ended.SILENT if heard.is_whole else Ended.LEFT


def _ended(ask: Ask, heard: _Heard) -> Ended | None:
    if heard.status is None:
        return None
    if heard.status >= 400:
        return Ended.REFUSED
    return ending(ask.door, bytes(heard.body), streamed=ask.streamed)


async def _read(
    session: aiohttp.ClientSession, url: str, ask: Ask, secret: str, heard: _Heard, most: int | None
) -> None:
    headers = {
        "authorization": f"Bearer {secret}",
        "content-type": "application/json",
        "user-agent": ask.program,
        "x-session-id": ask.conversation,
    }
    async with session.post(url + ask.path, data=ask.body, headers=headers) as answer:
        heard.status, heard.headers = answer.status, answer.headers
        packets = 0
        async for packet in answer.content.iter_any():
            heard.body += packet
            packets += 1
            if most is not None and packets >= most:
                answer.close()
                return
        heard.is_whole = True


def _seen(ask: Ask, ended: Ended, life: int, heard: _Heard) -> Seen:
    return Seen(
        number=ask.number,
        ended=ended,
        life=life,
        request_id=heard.headers.get("x-request-id", ""),
        status=heard.status,
        code=_code(bytes(heard.body)) if ended is Ended.REFUSED else "",
        cost=heard.headers.get("x-bridge-cost", ""),
        may_retry=heard.headers.get("x-should-retry", ""),
        upstream=heard.headers.get("x-bridge-upstream", ""),
    )


def _code(body: bytes) -> str:
    """The refusal's code, or its type where the dialect has no codes."""
    try:
        error = msgspec.json.decode(body)["error"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return ""
    return str(error.get("code") or error.get("type") or "") if isinstance(error, dict) else ""


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError:
        return False
    return True

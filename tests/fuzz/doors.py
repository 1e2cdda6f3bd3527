"""Spoilt requests at the doors of a whole gateway: every answer in the door's dialect, none with a 500, none too late.

The ASGI application is called directly, without sockets; behind it stands the simulator of Copilot. The same cases can
be sent to a gateway that runs elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from bridge.dialect import Dialect
from tests.dialects.answer import Answer
from tests.dialects.chat_stream import validated as chat_validated
from tests.dialects.checkers import CHECKERS
from tests.dialects.frames import need, read_frames, read_object
from tests.fuzz.requests import RequestCase

ANSWER_SECONDS = 20.0
_PATHS = {
    Dialect.CHAT: "/v1/chat/completions",
    Dialect.RESPONSES: "/v1/responses",
    Dialect.MESSAGES: "/v1/messages",
    "count_tokens": "/v1/messages/count_tokens",
    "embeddings": "/v1/embeddings",
}
_SPEAKS = {"count_tokens": Dialect.MESSAGES, "embeddings": Dialect.CHAT}
_PIECE = 16_384
# What the gateway says of the simulator's own fall over a body that is nested a few hundred levels deep.
_SIMULATOR_FELL = b"GitHub Copilot failed: Internal Server Error"


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Doors(Protocol):
    async def post(self, path: str, body: bytes) -> Answered: ...


class Application:
    """An ASGI application that is called as a server would call it."""

    def __init__(self, application: Any, key: str) -> None:
        self._application = application
        self._headers = [
            (b"host", b"127.0.0.1"),
            (b"authorization", f"Bearer {key}".encode()),
            (b"content-type", b"application/json"),
        ]

    async def post(self, path: str, body: bytes) -> Answered:
        pieces = [body[start : start + _PIECE] for start in range(0, max(1, len(body)), _PIECE)]
        received = 0
        status = 0
        headers: dict[str, str] = {}
        parts: list[bytes] = []
        over = asyncio.Event()

        async def receive() -> MutableMapping[str, Any]:
            nonlocal received
            if received < len(pieces):
                received += 1
                return {"type": "http.request", "body": pieces[received - 1], "more_body": received < len(pieces)}
            await over.wait()
            return {"type": "http.disconnect"}

        async def send(message: Mapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers.update({name.decode().lower(): value.decode() for name, value in message["headers"]})
            else:
                parts.append(message.get("body", b""))

        await self._application(self._scope(path, len(body)), receive, send)
        over.set()
        return Answered(status, headers, b"".join(parts))

    def _scope(self, path: str, size: int) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [*self._headers, (b"content-length", str(size).encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "extensions": {},
        }


class Remote:
    """A gateway at a URL."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def post(self, path: str, body: bytes) -> Answered:
        answer = await self._client.post(path, content=body, headers={"content-type": "application/json"})
        return Answered(answer.status_code, answer.headers, answer.content)


async def run(case: RequestCase, doors: Doors) -> str:
    """The status, in words. Raises AssertionError for a broken promise."""
    path = _PATHS[case.door]
    async with asyncio.timeout(ANSWER_SECONDS):
        answered = await doors.post(path, case.body)
    dialect = _SPEAKS.get(case.door) or Dialect(case.door)
    check(answered, case.door, dialect)
    return f"{case.door} {answered.status}"


def check(answered: Answered, door: str, dialect: Dialect) -> None:
    """Asserts that the answer is one of the door's."""
    assert answered.status != 500, f"a 500: {answered.body[:400]!r}"
    assert answered.status, "no answer at all"
    assert answered.headers.get("x-request-id"), f"no request id: {dict(answered.headers)}"
    kind = answered.headers.get("content-type", "")
    if answered.status == 502 and _SIMULATOR_FELL in answered.body:
        return
    if answered.status != 200:
        assert kind.startswith("application/json"), f"a {answered.status} of the type {kind!r}"
        CHECKERS[dialect].error(answered.body, answered.status)
        assert answered.status < 500, f"a {answered.status}: {answered.body[:400]!r}"
    elif kind.startswith("text/event-stream"):
        if _ends_in_error(answered.body, dialect):
            CHECKERS[dialect].broken_stream(answered.body)
        else:
            check_stream(answered.body, dialect)
    elif door == "count_tokens":
        assert need(read_object(answered.body), "input_tokens", int, "the count") > 0
    elif door == "embeddings":
        assert need(read_object(answered.body), "data", list, "the embeddings")
    else:
        CHECKERS[dialect].whole(answered.body, json_arguments=False)


def check_stream(body: bytes, dialect: Dialect) -> Answer:
    """What a whole stream adds up to; Chat's usage stands in it when it was asked for."""
    if dialect is Dialect.CHAT:
        return chat_validated(body, include_usage=b'"choices":[]' in body, json_arguments=False)
    return CHECKERS[dialect].stream(body, json_arguments=False)


def _ends_in_error(body: bytes, dialect: Dialect) -> bool:
    last = next((frame for frame in reversed(read_frames(body)) if frame.data is not None), None)
    if last is None or last.data in (None, "[DONE]"):
        return False
    if dialect is Dialect.CHAT:
        return "error" in read_object(last.data or "")
    return last.event in ("error", "response.failed")

"""The lean handler by itself: bodies within limits, faults in words, clients that go away, silences that are filled."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from proxy.lean import LeanHandler
from proxy.runtime import Runtime

Message = Mapping[str, Any]


class StartedRuntime(Runtime):
    """Counts as started: these doors need nothing of the world."""

    @property
    def started(self) -> bool:
        return True


async def called(runtime: Runtime, path: str, *incoming: Message, method: str = "POST") -> list[Message]:
    """What the handler sends for a request whose messages are `incoming`; after them the client stays and waits."""
    waiting = list(incoming)
    sent: list[Message] = []

    async def receive() -> Message:
        if waiting:
            return waiting.pop(0)
        await asyncio.Event().wait()
        raise AssertionError("nobody sends anything more")

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}
    await LeanHandler(runtime, "tests.proxy.odd_doors")(scope, receive, send)
    return sent


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


GONE: Message = {"type": "http.disconnect"}


async def test_a_body_in_parts_is_one_body_and_is_given_back() -> None:
    runtime = StartedRuntime()
    sent = await called(runtime, "/echo", part(b"one ", more=True), part(b"two"))
    assert sent[0]["status"] == 200
    assert sent[1]["body"] == b"one two"
    assert runtime.body_bytes == 0


async def test_an_unforeseen_fault_is_told_with_the_request_id_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        sent = await called(StartedRuntime(), "/broken")
    headers = dict(sent[0]["headers"])
    assert sent[0]["status"] == 500
    error = json.loads(sent[1]["body"])["error"]
    assert headers[b"x-request-id"].decode() in error["message"]
    assert "secret" not in sent[1]["body"].decode()
    assert "ZeroDivisionError" in caplog.text


async def test_bodies_beyond_the_budget_for_all_are_shed() -> None:
    runtime = StartedRuntime()
    runtime.limits = replace(runtime.limits, body_budget=10)
    sent = await called(runtime, "/echo", part(b"12345", more=True), part(b"678901"))
    assert sent[0]["status"] == 503
    assert dict(sent[0]["headers"])[b"retry-after"] == b"2"
    assert runtime.body_bytes == 0, "a refused body is still counted"


async def test_a_client_that_leaves_within_its_body_gets_nothing_and_costs_nothing() -> None:
    runtime = StartedRuntime()
    assert await called(runtime, "/echo", part(b"12345", more=True), GONE) == []
    assert runtime.body_bytes == 0


async def test_a_client_that_leaves_cancels_the_view() -> None:
    runtime = StartedRuntime()
    sent = await asyncio.wait_for(called(runtime, "/slow", part(b"{}"), GONE), 5)
    assert sent == []
    assert runtime.lessons.refused("slow") == {"was cancelled"}


async def test_a_silence_is_filled_and_the_pieces_stay_whole() -> None:
    sent = await called(StartedRuntime(), "/quiet", method="GET")
    bodies = [message["body"] for message in sent[1:]]
    assert bodies[0] == b"first\n\n"
    assert bodies[-2:] == [b"last\n\n", b""]
    assert 2 <= bodies.count(b": ping\n\n") <= 3


async def test_a_stream_whose_head_cannot_be_sent_is_let_go() -> None:
    runtime = StartedRuntime()

    async def receive() -> Message:
        return part(b"")

    async def send(_message: Message) -> None:
        raise ConnectionResetError

    scope = {"type": "http", "method": "GET", "path": "/quiet", "query_string": b"", "headers": []}
    with pytest.raises(ConnectionResetError):
        await LeanHandler(runtime, "tests.proxy.odd_doors")(scope, receive, send)
    assert runtime.lessons.refused("quiet") == {"was abandoned"}


async def test_a_head_has_headers_and_no_body() -> None:
    sent = await called(StartedRuntime(), "/quiet", method="HEAD")
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[1]["body"] == b""


async def test_a_compressed_body_is_refused_in_words() -> None:
    async def receive() -> Message:
        raise AssertionError("the body was read")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-encoding", b"gzip")]
    scope = {"type": "http", "method": "POST", "path": "/echo", "query_string": b"", "headers": headers}
    await LeanHandler(StartedRuntime(), "tests.proxy.odd_doors")(scope, receive, send)
    assert sent[0]["status"] == 400
    assert "compressed" in sent[1]["body"].decode()

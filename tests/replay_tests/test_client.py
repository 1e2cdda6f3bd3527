from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from tests.replay.asks import Leave
from tests.replay.client import Server, ending, send
from tests.replay.evidence import Ended, Seen
from tests.replay_tests.evidences import an_ask

ENDS = {
    "chat": b"data: [DONE]\n\n",
    "messages": b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    "responses": b'event: response.completed\ndata: {"type":"response.completed"}\n\n',
}
ERRORS = {
    "chat": b'data: {"error":{"message":"cut"}}\n\n',
    "messages": b'event: error\ndata: {"type":"error"}\n\n',
    "responses": b'event: response.failed\ndata: {"type":"response.failed"}\n\n',
}


@pytest.mark.parametrize("door", sorted(ENDS))
def test_a_stream_is_complete_with_the_last_byte_of_its_terminal_event(door: str) -> None:
    whole = b'data: {"text":"data: [DONE]"}\n\n' + ENDS[door]
    for size in range(len(whole)):
        assert ending(door, whole[:size], streamed=True) is None
    assert ending(door, whole, streamed=True) is Ended.COMPLETE


@pytest.mark.parametrize("door", sorted(ERRORS))
def test_a_stream_with_an_error_event_is_broken_whatever_follows(door: str) -> None:
    assert ending(door, b"data: {}\n\n" + ERRORS[door] + ENDS[door], streamed=True) is Ended.BROKEN


def test_a_body_is_complete_when_it_is_json() -> None:
    assert ending("chat", b'{"choices":[]}', streamed=False) is Ended.COMPLETE
    assert ending("chat", b'{"choices":[', streamed=False) is None


async def answer(request: web.Request) -> web.StreamResponse:
    """Says half a stream, and then what the question wants: to end, to fall silent, to drop the connection, to wait."""
    wish = (await request.read()).decode()
    if wish == "refuse":
        error = {"error": {"message": "no", "code": "insufficient_quota"}}
        return web.json_response(error, status=429, headers={"x-request-id": "7", "x-should-retry": "false"})
    response = web.StreamResponse(headers={"x-request-id": "7"})
    await response.prepare(request)
    await response.write(b'data: {"text":"half"}\n\n')
    match wish:
        case "end":
            await response.write(ENDS["chat"])
        case "drop":
            assert request.transport is not None
            request.transport.abort()
        case "wait":
            await asyncio.sleep(30)
    return response


async def told(wish: str, leave: Leave | None = None) -> Seen:
    application = web.Application()
    application.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server = Server(url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    server.up.set()
    try:
        async with aiohttp.ClientSession(trust_env=False) as session:
            return await send(session, server, an_ask(1, body=wish.encode(), leave=leave), "secret")
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("wish", "ended"),
    [("end", Ended.COMPLETE), ("silence", Ended.SILENT), ("drop", Ended.LOST), ("refuse", Ended.REFUSED)],
)
async def test_every_ending_is_told_apart(wish: str, ended: Ended) -> None:
    seen = await told(wish)
    assert (seen.ended, seen.request_id) == (ended, "7")


@pytest.mark.parametrize("leave", [Leave(seconds=0.3), Leave(packets=1)])
async def test_a_client_leaves_when_it_wants_to(leave: Leave) -> None:
    assert (await told("wait", leave)).ended is Ended.LEFT


async def test_a_client_that_has_heard_everything_has_not_left() -> None:
    assert (await told("end", Leave(seconds=20.0))).ended is Ended.COMPLETE


async def test_a_refusal_is_told_with_its_code_and_whether_to_retry() -> None:
    seen = await told("refuse")
    assert (seen.status, seen.code, seen.may_retry) == (429, "insufficient_quota", "false")


async def test_a_request_that_cannot_arrive_is_sent_again_until_it_can() -> None:
    server = Server(url="http://127.0.0.1:1")
    server.up.set()
    async with aiohttp.ClientSession(trust_env=False) as session:
        sending = asyncio.create_task(send(session, server, an_ask(1), "secret"))
        await asyncio.sleep(0.3)
        assert not sending.done()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
    assert server.in_flight == 0

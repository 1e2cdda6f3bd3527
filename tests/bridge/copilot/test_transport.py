"""The pooled transport against a small server on loopback that keeps, closes and cuts connections at will."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import aiohttp
import httpx
import pytest

from bridge.copilot.transport import Upstream
from bridge.errors import BrokenStream, TimedOut, Unreachable
from tests.bridge.loopback import serving

OK = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nX-Request-Id: r1\r\n"


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    upstream = Upstream()
    yield upstream
    await upstream.aclose()


async def _whole(_number: int, writer: asyncio.StreamWriter) -> bool:
    writer.write(OK + b"content-length: 5\r\n\r\nhello")
    return True


async def _whole_then_close(_number: int, writer: asyncio.StreamWriter) -> bool:
    await _whole(_number, writer)
    return False


async def test_status_headers_and_body_come_back_as_they_were_sent(upstream: Upstream) -> None:
    async with serving(_whole) as server:
        reply = await upstream.post(server.url, {"Authorization": "Bearer t", "X-Initiator": "user"}, b'{"a":1}')
        assert (reply.status, reply.headers["x-request-id"]) == (200, "r1")
        assert await reply.read() == b"hello"
        await reply.aclose()
    (request,) = server.requests
    assert request.body == b'{"a":1}'
    assert request.head.startswith(b"POST /chat/completions HTTP/1.1\r\n")
    lines = request.head.lower().split(b"\r\n")
    assert {b"authorization: bearer t", b"x-initiator: user", b"content-type: application/json"} <= set(lines)
    assert b"accept-encoding: identity" in lines
    assert not any(line.startswith(b"cookie:") for line in lines)


async def test_packets_come_as_soon_as_they_are_sent(upstream: Upstream) -> None:
    go_on = asyncio.Event()

    async def slowly(_number: int, writer: asyncio.StreamWriter) -> bool:
        writer.write(OK + b"transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await writer.drain()
        await go_on.wait()
        writer.write(b"6\r\nsecond\r\n0\r\n\r\n")
        return True

    async with serving(slowly) as server:
        reply = await upstream.post(server.url, {}, b"{}")
        packets = reply.body()
        assert await anext(packets) == b"first"
        go_on.set()
        assert [packet async for packet in packets] == [b"second"]
        await reply.aclose()


async def test_a_connection_is_used_again_once_its_body_was_read(upstream: Upstream) -> None:
    async with serving(_whole) as server:
        for _ in range(3):
            reply = await upstream.post(server.url, {}, b"{}")
            assert await reply.read() == b"hello"
            await reply.aclose()
    assert [request.connection for request in server.requests] == [1, 1, 1]


async def test_a_connection_the_server_closed_meanwhile_is_not_used_again(upstream: Upstream) -> None:
    async with serving(_whole_then_close) as server:
        for _ in range(3):
            reply = await upstream.post(server.url, {}, b"{}")
            assert await reply.read() == b"hello"
            await reply.aclose()
            await asyncio.sleep(0.05)
    assert [request.connection for request in server.requests] == [1, 2, 3]


async def test_a_connection_that_closes_under_a_request_is_unreachable_and_the_request_is_not_sent_twice(
    upstream: Upstream,
) -> None:
    async def once(number: int, writer: asyncio.StreamWriter) -> bool:
        return await _whole(number, writer) if number == 1 else False

    async with serving(once) as server:
        reply = await upstream.post(server.url, {}, b"{}")
        await reply.read()
        await reply.aclose()
        with pytest.raises(Unreachable):
            await upstream.post(server.url, {}, b"{}")
    assert len(server.requests) == 2


async def test_parallel_requests_do_not_wait_for_each_other(upstream: Upstream) -> None:
    all_here = asyncio.Event()

    async def together(number: int, writer: asyncio.StreamWriter) -> bool:
        if number == 150:
            all_here.set()
        await all_here.wait()
        return await _whole(number, writer)

    async with serving(together) as server, asyncio.timeout(30):
        replies = await asyncio.gather(*(upstream.post(server.url, {}, b"{}") for _ in range(150)))
        for reply in replies:
            assert await reply.read() == b"hello"
            await reply.aclose()
    assert server.connections == 150


async def test_a_port_nobody_listens_on_is_unreachable(upstream: Upstream) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/responses"
        with pytest.raises(Unreachable):
            await upstream.post(url, {}, b"{}")


async def test_a_server_that_speaks_something_else_is_unreachable(upstream: Upstream) -> None:
    async def nonsense(_number: int, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
        return False

    async with serving(nonsense) as server:
        with pytest.raises(Unreachable):
            await upstream.post(server.url, {}, b"{}")


@pytest.mark.parametrize(
    "head",
    [b"content-length: 100\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n40\r\n"],
    ids=["counted", "chunked"],
)
async def test_a_body_that_is_cut_breaks_off_after_what_came(upstream: Upstream, head: bytes) -> None:
    async def cut(_number: int, writer: asyncio.StreamWriter) -> bool:
        writer.write(OK + head + b"data: half")
        return False

    async with serving(cut) as server:
        reply = await upstream.post(server.url, {}, b"{}")
        packets = reply.body()
        assert await anext(packets) == b"data: half"
        with pytest.raises(BrokenStream):
            await anext(packets)
        await reply.aclose()


async def test_a_connection_reset_in_the_body_breaks_it_off(upstream: Upstream) -> None:
    async def reset(_number: int, writer: asyncio.StreamWriter) -> bool:
        writer.write(OK + b"transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.transport.abort()
        return False

    async with serving(reset) as server:
        reply = await upstream.post(server.url, {}, b"{}")
        with pytest.raises(BrokenStream):
            await reply.read()
        await reply.aclose()


async def test_letting_go_of_an_unfinished_body_closes_the_connection(upstream: Upstream) -> None:
    async def endless(_number: int, writer: asyncio.StreamWriter) -> bool:
        writer.write(OK + b"transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        return True

    async with serving(endless) as server, asyncio.timeout(10):
        reply = await upstream.post(server.url, {}, b"{}")
        assert await anext(reply.body()) == b"first"
        assert not server.gone.is_set()
        await reply.aclose()
        await server.gone.wait()


async def test_a_cancelled_post_closes_the_connection(upstream: Upstream) -> None:
    asked = asyncio.Event()

    async def never(_number: int, _writer: asyncio.StreamWriter) -> bool:
        asked.set()
        return True

    async with serving(never) as server, asyncio.timeout(10):
        post = asyncio.create_task(upstream.post(server.url, {}, b"{}"))
        await asked.wait()
        post.cancel()
        with pytest.raises(asyncio.CancelledError):
            await post
        await server.gone.wait()


async def test_no_redirect_is_followed(upstream: Upstream) -> None:
    async def elsewhere(_number: int, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n")
        return True

    async with serving(elsewhere) as server:
        reply = await upstream.post(server.url, {"Authorization": "Bearer t"}, b"{}")
        assert (reply.status, reply.headers["location"]) == (307, "/elsewhere")
        await reply.aclose()
    assert len(server.requests) == 1


async def test_no_cookie_is_kept(upstream: Upstream) -> None:
    async def cookie(_number: int, writer: asyncio.StreamWriter) -> bool:
        writer.write(OK + b"set-cookie: a=b; Path=/\r\ncontent-length: 0\r\n\r\n")
        return True

    async with serving(cookie) as server:
        for _ in range(2):
            reply = await upstream.post(server.url, {}, b"{}")
            await reply.read()
            await reply.aclose()
    assert b"cookie" not in server.requests[1].head.lower()


async def test_a_refusal_is_read_up_to_a_limit(upstream: Upstream) -> None:
    async def novel(_number: int, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 300000\r\n\r\n" + b"x" * 300_000)
        return True

    async with serving(novel) as server:
        reply = await upstream.post(server.url, {}, b"{}")
        assert (reply.status, len(await reply.read(1000))) == (400, 1000)
        await reply.aclose()


def _connect_timeout() -> httpx.ConnectTimeout:
    """As httpx-aiohttp raises it when the time really ran out."""
    fault = httpx.ConnectTimeout("slow")
    fault.__cause__ = aiohttp.ConnectionTimeoutError("slow")
    return fault


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (_connect_timeout(), TimedOut),
        (httpx.ConnectTimeout("lost"), Unreachable),
        (httpx.ReadTimeout("slow"), TimedOut),
        (httpx.ConnectError("refused"), Unreachable),
        (httpx.RemoteProtocolError("nonsense"), Unreachable),
        (OSError("no route to host"), Unreachable),
    ],
)
async def test_each_fault_of_a_transport_has_its_error(fault: Exception, kind: type[Exception]) -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise fault from fault.__cause__

    with pytest.raises(kind):
        await Upstream(httpx.MockTransport(fail)).post("https://api.githubcopilot.com/responses", {}, b"{}")

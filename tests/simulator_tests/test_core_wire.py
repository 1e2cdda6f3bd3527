"""The way back to the client: packet borders, broken connections, and what the log says of them."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import httpx
import pytest
import uvicorn

from tests.simulator.errors import capi
from tests.simulator.line import ConnectionLine, LineProtocol
from tests.simulator.server import SimulatorServer, listen
from tests.simulator.wire import Message, Receive, Received, Request, Send, Wire

Story = Callable[[Wire], Awaitable[None]]


@contextmanager
def telling(story: Story) -> Iterator[tuple[str, Received]]:
    """Serve one story at every path and yield the address and the record of the request."""
    request = Request("GET", "/", {}, {}, b"", "copilot", "", 1)
    record = Received(request, 0.0)

    async def app(scope: Message, _receive: Receive, send: Send) -> None:
        line: ConnectionLine = scope["extensions"]["simulator.line"]
        wire = Wire(send, line, record, time.time)
        await story(wire)
        if wire.broken:
            await wire.wait_lost()

    bound = listen()
    config = uvicorn.Config(app, http=LineProtocol, ws="none", loop="asyncio", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = Thread(target=lambda: asyncio.run(server.serve(sockets=[bound])))
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/", record
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


def wait_for_outcome(record: Received, outcome: str) -> None:
    """Wait until the log entry has this outcome; fail after three seconds."""
    until = time.monotonic() + 3
    while record.outcome != outcome and time.monotonic() < until:
        time.sleep(0.01)
    assert record.outcome == outcome


def test_a_json_answer_has_sorted_keys(client: httpx.Client) -> None:
    async def story(wire: Wire) -> None:
        await wire.respond(200, {"b": 1, "a": {"z": 1, "y": 2}})

    with telling(story) as (url, record):
        answer = client.get(url)
    assert answer.text == '{"a":{"y":2,"z":1},"b":1}'
    assert answer.headers["content-type"].startswith("application/json")
    assert record.outcome == "completed"


def test_a_refusal_is_text_with_a_newline_even_when_it_is_json(client: httpx.Client) -> None:
    async def story(wire: Wire) -> None:
        await wire.refuse(capi(400, "some_code", "some message", param="model"))

    with telling(story) as (url, _):
        answer = client.get(url)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == '{"error":{"code":"some_code","message":"some message","param":"model"}}\n'


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_cut_packets_add_up_to_the_same_body(client: httpx.Client, size: int) -> None:
    text = 'data: {"ä": "€𝄞"}\n\n' * 5

    async def story(wire: Wire) -> None:
        wire.shape(cut=size)
        await wire.start()
        await wire.send(text.encode())
        await wire.finish()

    with telling(story) as (url, record), client.stream("GET", url) as answer:
        pieces = list(answer.iter_raw())
    assert b"".join(pieces) == text.encode()
    assert record.sent == len(text.encode())


def test_a_cut_of_one_byte_makes_a_chunk_of_every_byte() -> None:
    async def story(wire: Wire) -> None:
        wire.shape(cut=1)
        await wire.start()
        await wire.send(b"abc")
        await wire.finish()

    with telling(story) as (url, _):
        seen = raw_get(url)
    assert seen.endswith(b"\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n")


def test_line_ends_become_cr_lf_on_request(client: httpx.Client) -> None:
    async def story(wire: Wire) -> None:
        wire.shape(crlf=True)
        await wire.start()
        await wire.send(b"data: 1\n\n")
        await wire.finish()

    with telling(story) as (url, _):
        assert client.get(url).content == b"data: 1\r\n\r\n"


def test_a_reset_before_the_head_is_seen_as_a_reset() -> None:
    async def story(wire: Wire) -> None:
        wire.reset()

    with telling(story) as (url, record), pytest.raises(ConnectionResetError):
        raw_get(url)
    assert record.outcome == "reset"


def test_a_reset_after_the_head_is_seen_as_a_reset(client: httpx.Client) -> None:
    async def story(wire: Wire) -> None:
        await wire.start()
        await wire.send(b"data: 1\n\n")
        await asyncio.sleep(0.05)
        wire.reset()

    with telling(story) as (url, record), client.stream("GET", url) as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.ReadError):
            answer.read()
    assert record.outcome == "reset"


def test_hanging_up_leaves_the_body_unfinished(client: httpx.Client) -> None:
    async def story(wire: Wire) -> None:
        await wire.start()
        await wire.send(b"data: 1\n\n")
        wire.hang_up()

    with telling(story) as (url, record), pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked"):
        client.get(url)
    assert record.outcome == "hung_up"


def test_nothing_is_sent_after_a_break(client: httpx.Client) -> None:
    async def story(wire: Wire) -> None:
        await wire.start()
        wire.hang_up()
        await wire.send(b"too late")
        await wire.finish()

    with telling(story) as (url, record), pytest.raises(httpx.RemoteProtocolError):
        client.get(url)
    assert record.outcome == "hung_up"


def test_a_client_that_goes_away_is_logged_as_cancelled(sim: SimulatorServer, client: httpx.Client) -> None:
    sim.ask({"hold": 30}, path="/user")
    with pytest.raises(httpx.ReadTimeout):
        client.get(f"{sim.api_url}/user", timeout=0.2)
    record = sim.world.log[-1]
    wait_for_outcome(record, "cancelled")
    assert record.status is None
    assert record.ended_at is not None
    assert record.ended_at - record.at < 5


def test_a_client_that_goes_away_after_a_large_body_is_noticed_too(sim: SimulatorServer) -> None:
    sim.ask({"hold": 30}, path="/user")
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{sim.api_url}/user", content=b"x" * 3_000_000, timeout=0.5, trust_env=False)
    wait_for_outcome(sim.world.log[-1], "cancelled")
    assert len(sim.world.log[-1].request.body) == 3_000_000


def test_a_client_that_breaks_off_its_own_body_is_logged(sim: SimulatorServer) -> None:
    with socket.create_connection(("127.0.0.1", sim.port)) as peer:
        peer.sendall(b"POST /api/user HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc")
    until = time.monotonic() + 3
    while not sim.world.log and time.monotonic() < until:
        time.sleep(0.01)
    wait_for_outcome(sim.world.log[-1], "cancelled")


def raw_get(url: str) -> bytes:
    """Return everything the server writes to one connection, head and chunk borders included."""
    with socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0), timeout=5) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        seen = b""
        while piece := peer.recv(65536):
            seen += piece
    return seen

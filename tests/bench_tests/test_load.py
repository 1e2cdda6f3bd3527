"""The load generator: right answers are served, wrong ones are wrong, and it always ends."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.bench.jobs import Job, Measured
from tests.bench.load import run
from tests.bench.processes import free_port
from tests.simulator.fast import FastUpstream
from tests.simulator.fast_answers import Shape, answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    Answer = Callable[[bytes], bytes]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
DONE = b"data: [DONE]\n\n"
END = b"0\r\n\r\n"
SHAPE = Shape(3, 0, 200)


def job(port: int, **more: Any) -> Job:
    asked: dict[str, Any] = {
        "port": port, "path": "/copilot/chat/completions", "key": "k", "model": "gpt-4o", "streamed": True,
        "shape": SHAPE, "connections": 1, "seconds": 5.0, "limit": 2, "patience": 2.0,
    }  # fmt: skip
    return Job(**(asked | more))


def stamp(tag: bytes, moment: int | None = None) -> bytes:
    return b"@T%018d@#%b#" % (time.monotonic_ns() if moment is None else moment, tag)


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def stream(*stamps: bytes, end: bytes = DONE) -> bytes:
    return HEAD + b"".join(chunked(b"data: " + text + b"\n\n") for text in stamps) + chunked(end) + END


@asynccontextmanager
async def server(reply: Answer, *, cut: int = 0, hang_up: bool = False) -> AsyncIterator[int]:
    """A server that answers every question with `reply(tag)`, in packets of `cut` bytes; the block gets its port."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await head_of(reader):
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            assert length is not None
            tag = re.search(rb"@@tag=(\d{8})@@", await reader.readexactly(int(length[1])))
            assert tag is not None
            data = reply(tag[1])
            for start in range(0, len(data), cut or len(data) or 1):
                writer.write(data[start : start + (cut or len(data))])
                await writer.drain()
                await asyncio.sleep(0)
            if hang_up:
                break
        writer.close()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


async def head_of(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return b""


async def measured_against(reply: Answer, **more: Any) -> Measured:
    async with server(reply) as port:
        return await run(job(port, **more))


async def test_right_answers_are_served_and_timed() -> None:
    seen = await measured_against(lambda tag: stream(stamp(tag), stamp(tag), stamp(tag)))
    assert (seen.served, seen.chunks, seen.wrong) == (2, 6, {})
    assert seen.first.p50 is not None
    assert seen.delay.p99 is not None
    assert 0 < seen.first.p50 <= (seen.whole.p99 or 0)


@pytest.mark.parametrize("cut", [1, 7])
async def test_a_right_answer_in_small_packets_is_right(cut: int) -> None:
    async with server(lambda tag: stream(stamp(tag), stamp(tag), stamp(tag)), cut=cut) as port:
        seen = await run(job(port))
    assert (seen.served, seen.wrong) == (2, {})


async def test_a_stamp_cut_by_the_borders_of_http_chunks_counts() -> None:
    def reply(tag: bytes) -> bytes:
        text = stamp(tag) * 3 + DONE
        return HEAD + b"".join(chunked(text[at : at + 5]) for at in range(0, len(text), 5)) + END

    assert (await measured_against(reply)).served == 2


async def test_an_unstreamed_answer_needs_no_end_mark() -> None:
    seen = await measured_against(lambda tag: answer(stamp(tag) * 3), streamed=False)
    assert (seen.served, seen.wrong) == (2, {})


async def test_a_closed_connection_between_answers_is_no_fault() -> None:
    def reply(tag: bytes) -> bytes:
        closing = HEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        return stream(stamp(tag), stamp(tag), stamp(tag)).replace(HEAD, closing)

    async with server(reply, hang_up=True) as port:
        seen = await run(job(port, limit=3))
    assert (seen.served, seen.wrong) == (3, {})


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        pytest.param(lambda tag: stream(stamp(tag), stamp(tag)), "chunks missing", id="a chunk is lost"),
        pytest.param(lambda tag: stream(*[stamp(tag)] * 4), "too many chunks", id="a chunk comes twice"),
        pytest.param(lambda tag: stream(*[stamp(tag)] * 3, end=b": end\n\n"), "no [DONE]", id="no end mark"),
        pytest.param(lambda _: stream(*[stamp(b"99999999")] * 3), "another's answer", id="streams are mixed up"),
        pytest.param(lambda tag: stream(*[stamp(tag, 1)] * 3), "older than its question", id="from a cache"),
        pytest.param(
            lambda tag: stream(stamp(tag, 9 * 10**17 + 1), stamp(tag, 9 * 10**17), stamp(tag, 9 * 10**17 + 2)),
            "out of order", id="chunks change places",
        ),
        pytest.param(lambda _: answer(b"{}", "503 Service Unavailable"), "status 503", id="refused"),
        pytest.param(lambda _: b"what?\r\n\r\n", "not HTTP", id="not HTTP"),
    ],
)  # fmt: skip
async def test_a_broken_server_is_found_out(reply: Answer, what: str) -> None:
    seen = await measured_against(reply)
    assert (seen.served, seen.wrong) == (0, {what: 2})


async def test_a_cut_stream_is_wrong() -> None:
    async with server(lambda tag: HEAD + chunked(stamp(tag)), hang_up=True) as port:
        seen = await run(job(port))
    assert (seen.served, seen.wrong) == (0, {"connection lost": 2})


async def test_one_wrong_answer_among_right_ones_is_counted() -> None:
    def reply(tag: bytes) -> bytes:
        return stream(*[stamp(tag)] * (2 if tag == b"00000003" else 3))

    seen = await measured_against(reply, limit=5)
    assert (seen.served, seen.wrong) == (4, {"chunks missing": 1})


async def test_patience_with_an_answer_that_never_ends_is_bounded() -> None:
    seen = await measured_against(
        lambda tag: HEAD + chunked(stamp(tag)), seconds=0.1, patience=0.2, connections=3, limit=9
    )
    assert (seen.served, seen.wrong, seen.peak) == (0, {"unfinished": 3}, 3)


async def test_nobody_listening_is_wrong() -> None:
    seen = await run(job(free_port(), seconds=0.1))
    assert seen.served == 0
    assert seen.wrong["no connection"] >= 1


async def test_having_asked_nothing_is_wrong() -> None:
    seen = await measured_against(lambda tag: b"", limit=0)
    assert seen.wrong == {"nothing was answered": 1}


@pytest.mark.parametrize("model", ["gpt-4o", "claude-sonnet-4.5"])
@pytest.mark.parametrize("streamed", [False, True])
async def test_the_fast_upstream_gives_right_answers_only(model: str, streamed: bool) -> None:
    upstream = FastUpstream()
    await upstream.start()
    port = int(upstream.url.rpartition(":")[2])
    seen = await run(job(port, model=model, streamed=streamed, connections=20, limit=60, ramp=0.05))
    upstream.stop()
    assert (seen.served, seen.chunks, seen.wrong) == (60, 180, {})
    assert seen.peak <= 20


async def test_no_two_questions_are_the_same() -> None:
    tags: list[bytes] = []

    def reply(tag: bytes) -> bytes:
        tags.append(tag)
        return stream(*[stamp(tag)] * 3)

    await measured_against(reply, connections=4, limit=20)
    assert len(set(tags)) == len(tags) == 20


async def test_the_program_reads_a_job_and_writes_what_it_measured() -> None:
    async with server(lambda tag: stream(*[stamp(tag)] * 3)) as port:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.load",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, _ = await process.communicate(msgspec.json.encode(job(port)))
    assert process.returncode == 0
    assert msgspec.json.decode(said, type=Measured).served == 2

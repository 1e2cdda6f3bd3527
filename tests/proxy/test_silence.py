"""Thirty silent minutes, at every door before every upstream format, streamed and not.

Time runs 150 times as fast: thirty minutes are 12 seconds, and the keep-alive that is sent every 15 seconds is sent
every tenth of a second, 120 times in a silence. Claude Code and Codex give a stream up after five minutes without an
event, which are 2 seconds here. All silences are kept at once, so that the file takes little longer than one of them.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from bridge.dialect import Dialect
from tests.dialects.answer import Answer
from tests.dialects.checkers import CHECKERS
from tests.gateway import Gateway
from tests.proxy.conftest import new_gateway
from tests.proxy.sdk.crossings import MODEL_OF, every_upstream
from tests.simulator.server import SimulatorServer

SILENCE = 12.0
KEEPALIVE = 0.1
PATIENCE = 2.0
# A machine that is busy with other things may be late now and then; more than half of them would be a fault.
FEWEST_SIGNS = 60
HEAD = 0.5

TEXT = "It was silent for half an hour, and then everything was said at once, down to the last word."
PLACES: Mapping[str, dict[str, Any]] = {
    "before the upstream's headers": {"fault": "slow_headers", "seconds": SILENCE},
    "before its first event": {"ttft_ms": SILENCE * 1000},
    "before its first content": {"fault": "stall", "after": 0, "seconds": SILENCE},
    "amid its reasoning": {"fault": "stall", "after": 3, "seconds": SILENCE, "reasoning_text": "Hm. " * 9},
    "amid its text": {"fault": "stall", "after": 3, "seconds": SILENCE, "reasoning": "none"},
}
# What passes, behind a second of silence; the next try is answered.
FAULTS: Mapping[str, dict[str, Any]] = {
    "a refusal": {"hold": 1.0, "fault": "status", "status": 502},
    "a connection reset": {"hold": 1.0, "fault": "reset_before_headers"},
    "a reset behind the headers": {"hold": 1.0, "fault": "reset_after_headers"},
    "an end before any content": {"ttft_ms": 1000, "fault": "clean_eof", "empty": True},
    "an error before any content": {"ttft_ms": 1000, "fault": "error_event", "empty": True},
}
# What ends an answer that had begun behind a second of silence.
BREAKS: Mapping[str, dict[str, Any]] = {
    "an error": {"ttft_ms": 1000, "fault": "error_event", "after": 1, "code": "rate_limited"},
    "an end": {"ttft_ms": 1000, "fault": "clean_eof", "after": 1},
}
Crossing = tuple[Dialect, str]
CROSSINGS: list[Crossing] = [(door, upstream) for door in Dialect for upstream in MODEL_OF]

every_door = pytest.mark.parametrize("door", Dialect)


@dataclass(slots=True)
class Heard:
    """What a client heard, and the longest it heard nothing, the wait for the head included."""

    status: int = 0
    request_id: str = ""
    pieces: list[bytes] = field(default_factory=list)
    longest_pause: float = 0.0

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


@pytest.fixture(scope="module")
def gateway(simulator: SimulatorServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    settings = {"BRIDGE_KEEPALIVE_SECONDS": str(KEEPALIVE), "BRIDGE_HEAD_SECONDS": str(HEAD)}
    installation = new_gateway(tmp_path_factory.mktemp("gateway"), simulator, "credits", **settings)
    installation.serve()
    yield installation
    installation.stop()


@pytest.fixture(scope="module")
def silences(gateway: Gateway) -> dict[tuple[Dialect, str, str, bool], Heard]:
    """Every silence, by door, upstream, place and whether the answer was streamed."""
    wishes = [(*crossing, place, streamed) for crossing in CROSSINGS for place in PLACES for streamed in (True, False)]
    bodies = [(door, body_of(door, upstream, streamed, PLACES[place])) for door, upstream, place, streamed in wishes]
    return dict(zip(wishes, asyncio.run(heard_at_once(gateway, bodies)), strict=True))


@pytest.fixture(scope="module", params=FAULTS)
def retried(request: pytest.FixtureRequest, gateway: Gateway, simulator: SimulatorServer) -> dict[Crossing, Heard]:
    """The answer at each crossing whose first try fails behind a head that was sent."""
    for model in MODEL_OF.values():
        simulator.ask(FAULTS[request.param], times=len(Dialect), model=model)
    bodies = [(door, body_of(door, upstream, True, {"message": request.param})) for door, upstream in CROSSINGS]
    return dict(zip(CROSSINGS, asyncio.run(heard_at_once(gateway, bodies)), strict=True))


@pytest.fixture(scope="module", params=BREAKS)
def broken(request: pytest.FixtureRequest, gateway: Gateway) -> dict[Crossing, Heard]:
    """The answer at each crossing that breaks off as soon as it has begun, behind a head that was sent."""
    bodies = [(door, body_of(door, upstream, True, BREAKS[request.param])) for door, upstream in CROSSINGS]
    return dict(zip(CROSSINGS, asyncio.run(heard_at_once(gateway, bodies)), strict=True))


def body_of(door: Dialect, upstream: str, streamed: bool, scenario: dict[str, Any]) -> dict[str, Any]:
    question = f"What is silence? @sim{json.dumps({'text': TEXT, **scenario})}"
    body = {"model": MODEL_OF[upstream], "stream": streamed}
    match door:
        case Dialect.CHAT:
            usage = {"stream_options": {"include_usage": True}} if streamed else {}
            return {**body, **usage, "messages": [{"role": "user", "content": question}]}
        case Dialect.RESPONSES:
            return {**body, "input": question, "reasoning": {"summary": "auto"}}
        case Dialect.MESSAGES:
            return {**body, "max_tokens": 4000, "messages": [{"role": "user", "content": question}]}


PATHS = {
    Dialect.CHAT: "/v1/chat/completions",
    Dialect.RESPONSES: "/v1/responses",
    Dialect.MESSAGES: "/v1/messages",
}


async def heard_at_once(gateway: Gateway, bodies: list[tuple[Dialect, dict[str, Any]]]) -> list[Heard]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=gateway.url, headers={"x-api-key": gateway.key}, timeout=60, limits=limits, trust_env=False
    ) as client:
        return await asyncio.gather(*(heard(client, PATHS[door], body) for door, body in bodies))


async def heard(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> Heard:
    found = Heard()
    at = time.monotonic()
    async with client.stream("POST", path, json=body) as answer:
        found.status, found.request_id = answer.status_code, answer.headers["x-request-id"]
        async for piece in answer.aiter_raw():
            found.longest_pause = max(found.longest_pause, time.monotonic() - at)
            at = time.monotonic()
            found.pieces.append(piece)
    return found


def signs_of_life(door: Dialect, answer: Answer) -> int:
    """How many of the events count for the clients of the dialect as something that happened."""
    match door:
        case Dialect.CHAT:
            return answer.comments
        case Dialect.RESPONSES:
            return answer.pings
        case Dialect.MESSAGES:
            return sum(map(says_nothing, answer.events))


def says_nothing(event: dict[str, Any]) -> bool:
    """Whether an event of Messages is there for its own sake: an empty delta, or an end that has no reason."""
    delta = event.get("delta", {})
    return not any(value for name, value in delta.items() if name != "type") if delta else False


def check_row(gateway: Gateway, said: Heard, attempts: int) -> None:
    row = gateway.row(said.request_id)
    assert (row["status"], row["http_status"], row["attempts"]) == ("settled", 200, attempts), row
    assert row["cost_source"] == "reported"


@every_door
@every_upstream
@pytest.mark.parametrize("place", PLACES)
def test_a_silent_stream_stays_alive_and_is_whole(
    silences: dict[tuple[Dialect, str, str, bool], Heard], gateway: Gateway, door: Dialect, upstream: str, place: str
) -> None:
    said = silences[door, upstream, place, True]
    assert said.status == 200, said.body
    answer = CHECKERS[door].stream(said.body, model=MODEL_OF[upstream])
    assert answer.text == TEXT
    assert signs_of_life(door, answer) >= FEWEST_SIGNS
    assert said.longest_pause < PATIENCE
    assert door is not Dialect.MESSAGES or answer.pings == 0, "a ping, which does not count for Claude Code"
    check_row(gateway, said, 1)


@every_door
@every_upstream
@pytest.mark.parametrize("place", PLACES)
def test_a_silence_delays_a_whole_answer_and_nothing_else(
    silences: dict[tuple[Dialect, str, str, bool], Heard], gateway: Gateway, door: Dialect, upstream: str, place: str
) -> None:
    said = silences[door, upstream, place, False]
    assert said.status == 200, said.body
    assert said.longest_pause > SILENCE * 0.9
    assert CHECKERS[door].whole(said.body, model=MODEL_OF[upstream]).text == TEXT
    check_row(gateway, said, 1)


@every_door
@every_upstream
def test_a_try_behind_signs_of_life_goes_on_with_the_same_reply(
    retried: dict[Crossing, Heard], gateway: Gateway, door: Dialect, upstream: str
) -> None:
    """The checkers see to it that the reply is opened once and that its events are numbered without a gap."""
    said = retried[door, upstream]
    assert said.status == 200, said.body
    answer = CHECKERS[door].stream(said.body, model=MODEL_OF[upstream])
    assert answer.text == TEXT
    assert signs_of_life(door, answer) >= 3
    check_row(gateway, said, 2)


@every_door
@every_upstream
def test_an_answer_that_breaks_behind_signs_of_life_says_so_in_its_place(
    broken: dict[Crossing, Heard], gateway: Gateway, door: Dialect, upstream: str
) -> None:
    """However much of the answer came along with the break, all that was numbered is sent before the error."""
    said = broken[door, upstream]
    assert said.status == 200, said.body
    assert CHECKERS[door].broken_stream(said.body, model=MODEL_OF[upstream]).message
    row = gateway.row(said.request_id)
    assert (row["status"], row["attempts"]) == ("failed", 1), row

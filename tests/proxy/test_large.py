"""Large things at every door before every upstream format: a megabyte in a call, hundreds of tools, a long talk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.dialect import Dialect
from tests.dialects.answer import Answer
from tests.dialects.checkers import CHECKERS
from tests.gateway import Gateway
from tests.proxy.sdk.crossings import MODEL_OF, every_upstream
from tests.simulator.server import SimulatorServer
from tests.simulator.world import World

MEGABYTE = 1024 * 1024
MOST_GROWTH = 100 * MEGABYTE  # 26 were seen
# Signs of four bytes, for the simulator cuts arguments after every four signs; and all that JSON writes otherwise.
LINE = "🧱🌉🚧🏗" * 125 + 'C:\\new\t"quoted" \u2028\x01 ü 語\n'
ARGUMENTS = {"path": "/tmp/bridge.txt", "content": LINE * (MEGABYTE // len(LINE.encode()) + 1)}

TURNS = 100
TOOLS = 200
MOST_TOOLS = {"chat": 128, "responses": 128, "messages": TOOLS}
TURN = "The river is wide and the bridge is long. " * 98

PATHS = {
    Dialect.CHAT: "/v1/chat/completions",
    Dialect.RESPONSES: "/v1/responses",
    Dialect.MESSAGES: "/v1/messages",
}
UPSTREAM_PATHS = {"chat": "/chat/completions", "responses": "/responses", "messages": "/v1/messages"}
LIMITS = {Dialect.CHAT: "max_completion_tokens", Dialect.RESPONSES: "max_output_tokens", Dialect.MESSAGES: "max_tokens"}
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}, "content": {"type": "string"}}}
QUESTION = {"role": "user", "content": "Write the file."}

every_door = pytest.mark.parametrize("door", Dialect)
streamed_or_not = pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorServer]:
    """Its models take and give more than a megabyte, and its account pays for that."""
    world = World()
    for model in MODEL_OF.values():
        world.models[model] = replace(world.models[model], prompt=2_000_000, output=500_000, context=2_500_000)
    world.accounts["credits"].entitlement = 10_000_000.0
    with SimulatorServer(world) as server:
        yield server


@pytest.fixture(scope="module")
def size_before(gateway: Gateway) -> int:
    """Bytes that the serving process holds before anything large came."""
    return size_of(gateway, "VmRSS")


@pytest.fixture
def http(gateway: Gateway, size_before: int) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {gateway.key}"}
    with httpx.Client(base_url=gateway.url, headers=headers, timeout=60, trust_env=False) as client:
        yield client


def size_of(gateway: Gateway, field: str) -> int:
    status = Path(f"/proc/{gateway.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(f"{field}:"))


def tool_of(door: Dialect, name: str) -> dict[str, Any]:
    description = f"{name} does one thing, and does it well. " * 5
    match door:
        case Dialect.CHAT:
            return {"type": "function", "function": {"name": name, "description": description, "parameters": SCHEMA}}
        case Dialect.RESPONSES:
            return {"type": "function", "name": name, "description": description, "parameters": SCHEMA}
        case Dialect.MESSAGES:
            return {"name": name, "description": description, "input_schema": SCHEMA}


def body_of(door: Dialect, upstream: str, turns: list[Any], tools: list[str], *, streamed: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"model": MODEL_OF[upstream], "stream": streamed, LIMITS[door]: 400_000}
    if door is Dialect.CHAT and streamed:
        body["stream_options"] = {"include_usage": True}
    told = {"input": turns} if door is Dialect.RESPONSES else {"messages": turns}
    return {**body, **told, "tools": [tool_of(door, name) for name in tools]}


def asked(http: httpx.Client, door: Dialect, body: dict[str, Any]) -> httpx.Response:
    answer = http.post(PATHS[door], json=body)
    assert answer.status_code == 200, answer.text[:2000]
    return answer


def told_in(answer: httpx.Response, door: Dialect, upstream: str, *, streamed: bool) -> Answer:
    checker = CHECKERS[door]
    return (checker.stream if streamed else checker.whole)(answer.content, model=MODEL_OF[upstream])


def next_turns(door: Dialect, said: Answer) -> list[Any]:
    """The whole answer sent back, with the result of its call."""
    call = said.calls[0].id
    match door:
        case Dialect.CHAT:
            result = {"role": "tool", "tool_call_id": call, "content": "written"}
            return [QUESTION, said.whole["choices"][0]["message"], result]
        case Dialect.RESPONSES:
            result = {"type": "function_call_output", "call_id": call, "output": "written"}
            return [QUESTION, *said.whole["output"], result]
        case Dialect.MESSAGES:
            result = {"type": "tool_result", "tool_use_id": call, "content": "written"}
            turn = {"role": "assistant", "content": said.whole["content"]}
            return [QUESTION, turn, {"role": "user", "content": [result]}]


def sent_upstream(simulator: SimulatorServer, upstream: str) -> dict[str, Any]:
    """The last request that the upstream answered."""
    path = UPSTREAM_PATHS[upstream]
    bodies = (entry.request.json() for entry in reversed(simulator.world.log) if entry.request.path == path)
    found: dict[str, Any] = next(bodies)
    return found


def called_in(body: dict[str, Any], upstream: str) -> Any:
    """The arguments of the one call in a request's history."""
    match upstream:
        case "chat":
            calls = [call for turn in body["messages"] for call in turn.get("tool_calls", [])]
            return json.loads(calls[0]["function"]["arguments"])
        case "responses":
            return json.loads(next(item["arguments"] for item in body["input"] if item.get("type") == "function_call"))
        case _:
            blocks = [block for turn in body["messages"] for block in turn["content"] if isinstance(block, dict)]
            return next(block["input"] for block in blocks if block["type"] == "tool_use")


def losses_of(answer: httpx.Response) -> set[str]:
    """What is said to be lost, but for a chat model's seal behind its words, which has no place in a message."""
    return set(filter(None, answer.headers.get("x-bridge-dropped", "").split(", "))) - {"thinking"}


def tools_in(body: dict[str, Any]) -> list[str]:
    return [tool.get("function", tool)["name"] for tool in body["tools"]]


@every_door
@every_upstream
@streamed_or_not
def test_a_call_of_a_megabyte_comes_whole_and_goes_back_whole(
    http: httpx.Client, simulator: SimulatorServer, gateway: Gateway, door: Dialect, upstream: str, streamed: bool
) -> None:
    simulator.ask({"call": "write_file", "arguments": ARGUMENTS}, model=MODEL_OF[upstream])
    answer = asked(http, door, body_of(door, upstream, [QUESTION], ["write_file"], streamed=streamed))
    said = told_in(answer, door, upstream, streamed=streamed)
    assert [call.name for call in said.calls] == ["write_file"]
    assert json.loads(said.calls[0].arguments) == ARGUMENTS
    assert gateway.row(answer.headers["x-request-id"])["status"] == "settled"
    if streamed:
        return
    turns = next_turns(door, said)
    for then_streamed in (True, False):
        again = asked(http, door, body_of(door, upstream, turns, ["write_file"], streamed=then_streamed))
        assert told_in(again, door, upstream, streamed=then_streamed).text
        assert called_in(sent_upstream(simulator, upstream), upstream) == ARGUMENTS
        assert not losses_of(again)


@every_door
@every_upstream
@streamed_or_not
def test_a_long_talk_with_two_hundred_tools_is_answered(
    http: httpx.Client, simulator: SimulatorServer, gateway: Gateway, door: Dialect, upstream: str, streamed: bool
) -> None:
    """OpenAI's formats take 128 tools: the refusal teaches so, and the others are named as lost."""
    roles = ["user", "assistant"]
    turns = [{"role": roles[number % 2], "content": f"{number}: {TURN}"} for number in range(TURNS)]
    names = [f"tool_{number}" for number in range(TOOLS)]
    body = body_of(door, upstream, [*turns, {"role": "user", "content": "What is a bridge?"}], names, streamed=streamed)
    assert len(json.dumps(body)) > 400_000
    answer = asked(http, door, body)
    assert "bridge" in told_in(answer, door, upstream, streamed=streamed).text.lower()
    most = MOST_TOOLS[upstream]
    assert tools_in(sent_upstream(simulator, upstream)) == names[:most]
    assert losses_of(answer) == ({"tools"} if most < TOOLS else set())
    row = gateway.row(answer.headers["x-request-id"])
    assert (row["status"], row["attempts"]) == ("settled", 2 if most < TOOLS else 1)


def test_the_server_stays_small(
    http: httpx.Client, simulator: SimulatorServer, gateway: Gateway, size_before: int
) -> None:
    """At its largest, over all tests of this file that ran before; and over one more, should it run alone."""
    simulator.ask({"call": "write_file", "arguments": ARGUMENTS}, model=MODEL_OF["chat"])
    asked(http, Dialect.MESSAGES, body_of(Dialect.MESSAGES, "chat", [QUESTION], ["write_file"], streamed=False))
    assert size_of(gateway, "VmHWM") - size_before < MOST_GROWTH

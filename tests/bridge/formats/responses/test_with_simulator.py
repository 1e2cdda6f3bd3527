"""Whole conversations with the simulated upstream: what it answers can be given back to it, on either road."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bridge.asked import Asked
from bridge.errors import BrokenStream
from bridge.events import Event, Failed
from bridge.formats.responses import ReplyReader, ReplyWriter, read_request, write_request
from bridge.formats.responses.verbatim import StreamTap, edit_request, open_request
from bridge.road import Heading
from bridge.target import Target, WireProfile
from tests.bridge.formats.responses.recordings import REQUEST_ID
from tests.bridge.grammar import check
from tests.dialects.answer import Answer
from tests.dialects.responses_stream import validated
from tests.simulator.server import SimulatorServer

MODEL = "gpt-5.5"
TARGET = Target(MODEL, "openai", MODEL, 64_000, ("none", "low", "medium", "high", "xhigh"))
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "",
    "strict": False,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
ROADS = ("verbatim", "hub")


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorServer]:
    with SimulatorServer() as server:
        yield server


class Conversation:
    """A client's history, sent in full each time."""

    def __init__(self, simulator: SimulatorServer, road: str, target: Target = TARGET, **members: Any) -> None:
        self._simulator = simulator
        self._road = road
        self._target = target
        self._members: dict[str, Any] = {"model": MODEL, "stream": True, "tools": [WEATHER], **members}
        self._headers = {
            "authorization": f"Bearer {simulator.token('credits')}",
            "editor-version": "vscode/1.104.3",
            "copilot-integration-id": "vscode-chat",
        }
        self.input: list[Any] = []

    def packets(self, *items: dict[str, Any]) -> tuple[Asked, list[bytes]]:
        self.input += items
        asked = open_request(json.dumps({**self._members, "input": self.input}).encode())
        is_hub = self._road == "hub"
        written = write_request(read_request(asked), self._target) if is_hub else edit_request(asked, self._target)
        with httpx.Client(trust_env=False, timeout=30) as client:
            url = f"{self._simulator.copilot_url}/responses"
            with client.stream("POST", url, content=written.body, headers=self._headers) as answer:
                packets = list(answer.iter_bytes())
        assert answer.status_code == 200, packets
        return asked, packets

    def say(self, *items: dict[str, Any]) -> Answer:
        """Send items, get the answer, and keep it as a client does."""
        asked, packets = self.packets(*items)
        heading = Heading(asked, REQUEST_ID, 1_760_000_000)
        stream = self._translated(packets, heading) if self._road == "hub" else self._tapped(packets, heading)
        answer = validated(stream, model=MODEL)
        self.input += answer.whole["output"]
        return answer

    @staticmethod
    def _tapped(packets: list[bytes], heading: Heading) -> bytes:
        tap = StreamTap(heading)
        return b"".join(tap.feed(packet) for packet in packets) + tap.end()

    @staticmethod
    def _translated(packets: list[bytes], heading: Heading) -> bytes:
        reader, writer = ReplyReader(), ReplyWriter(heading)
        events = [event for packet in packets for event in reader.feed(packet)] + reader.end()
        return b"".join(writer.write(event) for event in check(events))


def user(text: str) -> dict[str, Any]:
    return {"type": "message", "id": "msg_of_the_client", "role": "user", "content": text}


@pytest.mark.parametrize("profile", [WireProfile.COPILOT, WireProfile.LITE])
@pytest.mark.parametrize("road", ROADS)
def test_a_conversation_with_calls_and_reasoning_goes_on(
    simulator: SimulatorServer, road: str, profile: WireProfile
) -> None:
    target = Target(MODEL, "openai", MODEL, 64_000, TARGET.efforts, profile=profile)
    reasoning = {"effort": "high", "summary": "auto"}
    conversation = Conversation(simulator, road, target, reasoning=reasoning, instructions="Be brief.")
    answer = conversation.say(user("What is the weather in Paris and in Berlin? Ask for both in parallel."))
    assert answer.calls
    assert answer.seals
    assert answer.reasoning
    outputs = [
        {"type": "function_call_output", "id": f"fco_{index}", "call_id": call.id, "output": "Rain."}
        for index, call in enumerate(answer.calls)
    ]
    assert conversation.say(*outputs).text
    again = conversation.say(user("Thanks. And now?"))
    assert again.stop == "completed"
    assert again.counts is not None
    assert again.counts.prompt > 0


@pytest.mark.parametrize("road", ROADS)
def test_a_search_is_shown_with_its_citations(simulator: SimulatorServer, road: str) -> None:
    conversation = Conversation(simulator, road, tools=[{"type": "web_search"}])
    answer = conversation.say(user("Search the web for the weather in Paris."))
    assert answer.searches
    assert answer.citations
    assert conversation.say(user("Thanks.")).text


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize(
    "wish",
    [
        {"crlf": True},
        {"cut_bytes": 7},
        {"event_lines": False},
        {"keepalive": True},
        {"done": True},
        {"empty": True},
        {"text": "Grüß \u2028 dich 🙂"},
        {"rotating_ids": False},
    ],
    ids=lambda wish: next(iter(wish)),
)
def test_whatever_its_manners_the_answer_is_whole(simulator: SimulatorServer, road: str, wish: dict[str, Any]) -> None:
    answer = Conversation(simulator, road).say(user(f"Hello @sim{json.dumps(wish)}"))
    assert answer.stop == "completed"
    assert bool(answer.whole["output"]) != ("empty" in wish)


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize(
    ("wish", "reason"),
    [({"finish": "max_output_tokens"}, "max_output_tokens"), ({"content_filter": True}, "content_filter")],
)
def test_an_answer_that_was_cut_says_so(
    simulator: SimulatorServer, road: str, wish: dict[str, Any], reason: str
) -> None:
    assert Conversation(simulator, road).say(user(f"Hello @sim{json.dumps(wish)}")).stop == reason


@pytest.mark.parametrize("shape", ["wrapped", "nested"])
def test_an_early_failure_is_known_before_anything_was_sent(simulator: SimulatorServer, shape: str) -> None:
    wish = {"fault": "early_failure", "code": "rate_limited", "message": "Slow down.", "body": shape}
    asked, packets = Conversation(simulator, "verbatim").packets(user(f"Hello @sim{json.dumps(wish)}"))
    tap = StreamTap(Heading(asked, REQUEST_ID, 1))
    assert b"".join(tap.feed(packet) for packet in packets) == b""
    assert (tap.failure, tap.begun) == (Failed("Slow down.", "rate_limited"), False)


@pytest.mark.parametrize("fault", ["failed", "error_event"])
def test_a_failure_in_the_middle_is_known(simulator: SimulatorServer, fault: str) -> None:
    wish = {"fault": fault, "after": 3, "code": "server_error", "message": "Sorry."}
    asked, packets = Conversation(simulator, "hub").packets(user(f"Hello @sim{json.dumps(wish)}"))
    tap, reader = StreamTap(Heading(asked, REQUEST_ID, 1)), ReplyReader()
    events: list[Event] = [event for packet in packets for event in reader.feed(packet)]
    for packet in packets:
        tap.feed(packet)
    assert check(events)[-1] == tap.failure == Failed("Sorry.", "server_error")
    assert tap.begun


def test_a_stream_that_is_cut_off_is_a_broken_one(simulator: SimulatorServer) -> None:
    wish = {"fault": "clean_eof", "after": 3}
    asked, packets = Conversation(simulator, "verbatim").packets(user(f"Hello @sim{json.dumps(wish)}"))
    tap = StreamTap(Heading(asked, REQUEST_ID, 1))
    for packet in packets:
        tap.feed(packet)
    with pytest.raises(BrokenStream):
        tap.end()

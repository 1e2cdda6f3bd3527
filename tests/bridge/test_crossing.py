"""Which way a request goes, and what the passes between two formats do that no format can."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bridge.carrier import Carriers, is_carrier
from bridge.crossing import FORMATS, Crossing
from bridge.dialect import Dialect
from bridge.events import (
    CallHead,
    Event,
    Finished,
    PartClosed,
    PartOpened,
    ReasoningHead,
    Sealed,
    Started,
    Stop,
    TextGrew,
    TextHead,
)
from bridge.parts import Seal, SealKind
from bridge.road import Heading
from bridge.tally import Tally
from bridge.target import Repair, WireProfile
from bridge.translation import Translation
from tests.dialects.answer import Answer
from tests.dialects.checkers import CHECKERS
from tests.matrix.crossing import TARGETS

CARRIERS = Carriers(b"key", "gpt-6-sol|copilot|1")
PATCH = {"type": "custom", "name": "patch", "description": "Patches"}


def crossing_of(door: Dialect, upstream: Dialect, body: dict[str, Any], **target: Any) -> tuple[Crossing, Heading]:
    asked = FORMATS[door].open_request(json.dumps({"model": "asked", "stream": True, **body}).encode())
    crossing = Crossing(asked, upstream, replace(TARGETS[upstream], **target), CARRIERS)
    return crossing, Heading(asked, "0" * 32, 1_790_000_000)


def sent(crossing: Crossing) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(crossing.write().body)
    return body


def answered(crossing: Crossing, heading: Heading, upstream: Dialect, *told: Event, stop: Stop = Stop.END) -> Answer:
    """What a client reads when the upstream tells these parts."""
    crossing.write()
    road = crossing.road(heading)
    same = FORMATS[upstream].open_request(
        json.dumps(
            {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}], "input": "x"}
        ).encode()
    )
    writer = FORMATS[upstream].writer(Heading(same, "f" * 32, 1))
    wire = b"".join(writer.write(event) for event in (Started(), *told, Finished(stop, None, Tally(input=3, output=2))))
    return CHECKERS[heading.asked.dialect].stream(road.feed(wire) + road.end(), model="asked")


def text(*pieces: str) -> list[Event]:
    return [PartOpened(TextHead()), *(TextGrew(piece) for piece in pieces), PartClosed()]


def test_the_same_format_on_both_sides_passes_with_members_nobody_knows() -> None:
    messages = [{"role": "user", "content": "Hello"}]
    crossing, heading = crossing_of(Dialect.CHAT, Dialect.CHAT, {"messages": messages, "new_in_2027": {"a": 1}})
    assert sent(crossing)["new_in_2027"] == {"a": 1}
    assert not isinstance(crossing.road(heading), Translation)


def test_a_refusal_of_something_deep_inside_sends_even_the_same_format_over_the_hub() -> None:
    messages = [{"role": "user", "content": "Hello", "odd": 1}]
    body = {"messages": messages, "max_tokens": 9}
    crossing, _ = crossing_of(Dialect.MESSAGES, Dialect.MESSAGES, body, repairs=frozenset({Repair.REBUILD}))
    assert "odd" not in json.dumps(sent(crossing))


def test_a_model_without_custom_tools_gets_functions_and_the_client_its_own_tool_back() -> None:
    crossing, heading = crossing_of(
        Dialect.RESPONSES, Dialect.RESPONSES, {"input": "Patch it", "tools": [PATCH]}, profile=WireProfile.FOREIGN
    )
    assert [tool["type"] for tool in sent(crossing)["tools"]] == ["function"]
    told: list[Event] = [
        PartOpened(CallHead("call_1", "patch")),
        TextGrew('{"input":"*** Begin'),
        TextGrew(' Patch"}'),
        PartClosed(),
    ]
    answer = answered(crossing, heading, Dialect.RESPONSES, *told, stop=Stop.CALLS)
    assert [(call.kind, call.name, call.arguments) for call in answer.calls] == [("custom", "patch", "*** Begin Patch")]


def test_stop_sequences_are_kept_where_the_upstream_knows_none() -> None:
    body = {"messages": [{"role": "user", "content": "Count"}], "max_tokens": 9, "stop_sequences": ["END"]}
    crossing, heading = crossing_of(Dialect.MESSAGES, Dialect.RESPONSES, body)
    answer = answered(crossing, heading, Dialect.RESPONSES, *text("one E", "ND two"))
    assert (answer.text, answer.stop, answer.sequence) == ("one ", "stop_sequence", "END")


@pytest.mark.parametrize("door", [Dialect.CHAT, Dialect.MESSAGES])
def test_a_seal_travels_through_a_client_that_does_not_know_it_and_comes_back_as_it_was(door: Dialect) -> None:
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "Think"}], "max_tokens": 99}
    if door is Dialect.CHAT:
        body["stream_options"] = {"include_usage": True}
    crossing, heading = crossing_of(door, Dialect.RESPONSES, body)
    seal = Sealed(Seal(SealKind.CIPHERTEXT, "gAAAAAsecret"))
    thought: list[Event] = [PartOpened(ReasoningHead()), TextGrew("Hm"), seal, PartClosed()]
    answer = answered(crossing, heading, Dialect.RESPONSES, *thought, *text("Yes"))
    assert len(answer.seals) == 1
    assert is_carrier(answer.seals[0])
    kept: dict[str, Any] = (
        {"content": "Yes", "reasoning_content": "Hm", "reasoning_opaque": answer.seals[0]}
        if door is Dialect.CHAT
        else {
            "content": [
                {"type": "thinking", "thinking": "Hm", "signature": answer.seals[0]},
                {"type": "text", "text": "Yes"},
            ]
        }
    )
    again = [*body["messages"], {"role": "assistant", **kept}, {"role": "user", "content": "Go on"}]
    crossing, _ = crossing_of(door, Dialect.RESPONSES, {**body, "messages": again})
    items = [item for item in sent(crossing)["input"] if item.get("type") == "reasoning"]
    assert [item["encrypted_content"] for item in items] == ["gAAAAAsecret"]
    elsewhere = Carriers(b"key", "gpt-6-sol|copilot|2")
    asked = FORMATS[door].open_request(json.dumps({"model": "asked", **body, "messages": again}).encode())
    other = Crossing(asked, Dialect.RESPONSES, TARGETS[Dialect.RESPONSES], elsewhere).write().body
    assert b"reasoning" not in other.replace(b'"reasoning.encrypted_content"', b"").replace(b'"reasoning":{', b"")
    for upstream in (Dialect.CHAT, Dialect.MESSAGES):
        foreign = Crossing(asked, upstream, TARGETS[upstream], CARRIERS).write().body
        assert b"brg1." not in foreign


def test_calls_that_leaked_into_the_text_are_calls_again_where_that_is_wanted() -> None:
    tools = [{"name": "look", "description": "Looks", "input_schema": {"type": "object", "properties": {"at": {}}}}]
    body = {"messages": [{"role": "user", "content": "Look"}], "max_tokens": 99, "tools": tools}
    leaked = '<function_calls>\n<invoke name="look">\n<parameter name="at">it</parameter>\n</invoke>\n</function_calls>'
    crossing, heading = crossing_of(Dialect.MESSAGES, Dialect.MESSAGES, body, recovers_calls=True)
    answer = answered(crossing, heading, Dialect.MESSAGES, *text("Let me look.\n\n", leaked))
    assert (answer.stop, [call.name for call in answer.calls]) == ("tool_use", ["look"])
    crossing, heading = crossing_of(Dialect.MESSAGES, Dialect.MESSAGES, body)
    assert answered(crossing, heading, Dialect.MESSAGES, *text(leaked)).calls == []

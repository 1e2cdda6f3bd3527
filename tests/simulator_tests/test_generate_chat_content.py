"""Chat completions: what is said, whatever the family."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator_tests.asking import CHAT_WEATHER, PNG, Asker, chunks, deltas, events, sim_words, text_of

if TYPE_CHECKING:
    import httpx

    from tests.simulator.server import SimulatorServer


@pytest.fixture
def asker(sim: SimulatorServer, client: httpx.Client) -> Asker:
    return Asker(sim, client)


def tool_deltas(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [call for delta in found for call in delta.get("tool_calls", ())]


def test_the_bench_shape_stamps_every_chunk(asker: Asker) -> None:
    before = time.monotonic_ns()
    response = asker.chat("@@n=5,d=1,s=700@@ Write a story.", "claude-sonnet-4.6", stream=True)
    stamps = [int(stamp) for stamp in re.findall(r"@T(\d{18})@", response.text)]
    assert len(stamps) == 5
    assert before < stamps[0] < stamps[-1] < time.monotonic_ns()
    frames = [frame for frame in response.content.split(b"\n\n") if b"@T" in frame]
    assert all(abs(len(frame) + 2 - 700) <= 2 for frame in frames)
    usage = chunks(response)[-1]["usage"]
    assert usage["completion_tokens"] == -(-len(text_of(deltas(response))) // 4)


def test_exact_text_and_chunks_are_given_as_asked(asker: Asker) -> None:
    found = deltas(asker.chat("hello" + sim_words(text="naïve ☕ 你好", chunks=4), "claude-sonnet-4.6", stream=True))
    said = [delta["content"] for delta in found if delta["content"] is not None]
    assert len(said) == 4
    assert "".join(said) == "naïve ☕ 你好"


def test_structured_output_is_json_for_the_schema(asker: Asker) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
        "required": ["name", "size"],
    }
    form = {"type": "json_schema", "json_schema": {"name": "thing", "schema": schema}}
    content = asker.chat("Describe a 12 metre boat", response_format=form).json()["choices"][0]["message"]["content"]
    assert json.loads(content) == {"name": "Describe 12 metre boat", "size": 12}


def test_an_image_is_described_by_type_and_size(asker: Asker) -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
    ]
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": parts}]}
    content = asker.post("/chat/completions", body).json()["choices"][0]["message"]["content"]
    assert "image/png, 3x2 pixels" in content


def test_a_limit_cuts_the_answer(asker: Asker) -> None:
    [choice] = asker.chat("tell me about tea", max_tokens=3).json()["choices"]
    assert choice["finish_reason"] == "length"
    assert len(choice["message"]["content"]) <= 12


def test_a_stop_sequence_cuts_the_answer(asker: Asker) -> None:
    [choice] = asker.chat("hi" + sim_words(text="one two three"), stop=["two"]).json()["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("one ", "stop")


def test_whitespace_floods_the_arguments(asker: Asker) -> None:
    question = "weather in Paris?" + sim_words(fault="whitespace_args")
    response = asker.chat(question, "claude-sonnet-4.6", stream=True, tools=[CHAT_WEATHER], max_tokens=500)
    joined = "".join(call["function"].get("arguments", "") for call in tool_deltas(deltas(response)))
    assert joined.startswith('{"')
    assert joined[2:].strip() == ""
    assert len(joined) > 1500
    assert chunks(response)[-1]["choices"][0]["finish_reason"] == "length"


def test_the_same_request_in_a_new_world_gets_the_same_answer(asker: Asker, sim: SimulatorServer) -> None:
    first = asker.chat("What is tea?", "claude-sonnet-4.6").json()
    sim.world.reset()
    again = Asker(sim, asker.client).chat("What is tea?", "claude-sonnet-4.6").json()
    assert first["choices"] == again["choices"]


def test_a_legacy_account_sees_no_copilot_usage(sim: SimulatorServer, client: httpx.Client) -> None:
    body = Asker(sim, client, "legacy").chat("hello", "gpt-4.1").json()
    assert "copilot_usage" not in body
    assert body["usage"]["total_tokens"] > 0


def test_streams_end_properly(asker: Asker) -> None:
    for model in ("gpt-4o", "gpt-5-mini", "claude-sonnet-4.6", "gemini-3.8-flash", "grok-4.7", "kimi-k3"):
        assert events(asker.chat("hello", model, stream=True))[-1].data is None

"""The official OpenAI SDK against the gateway: it streams, calls a tool and brings the result back, sends an image."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Iterator

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolUnionParam

from tests.gateway import Gateway
from tests.simulator.server import SimulatorServer

# A chat model of each family that the upstream answers for in its own manner.
MODELS = ("gpt-4o", "claude-sonnet-4.5", "gemini-3.8-flash", "grok-4.7", "kimi-k3")

WEATHER: ChatCompletionToolUnionParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def png(width: int, height: int) -> bytes:
    """A red picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\xff\0\0" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


RED = base64.b64encode(png(37, 21)).decode()


@pytest.fixture
def client(gateway: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0) as made:
        yield made


@pytest.mark.parametrize("model", MODELS)
def test_a_question_is_answered_whole(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "What is a monad?"}])
    assert answer.object == "chat.completion"
    assert answer.model == model
    assert len(answer.choices) == 1
    assert "monad" in (answer.choices[0].message.content or "").lower()
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.completion_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_passes_the_sdks_own_accumulator(client: openai.OpenAI, model: str) -> None:
    with client.chat.completions.stream(
        model=model,
        messages=[{"role": "user", "content": "What is a monad?"}],
        stream_options={"include_usage": True},
    ) as stream:
        pieces = [event.delta for event in stream if event.type == "content.delta"]
        final = stream.get_final_completion()
    assert len(pieces) > 3, "the answer came in one piece"
    assert "".join(pieces) == final.choices[0].message.content
    assert final.model == model
    assert final.choices[0].finish_reason == "stop"
    assert final.usage is not None
    assert final.usage.total_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_a_tool_is_called_and_its_result_is_answered(client: openai.OpenAI, model: str) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Use get_weather for Paris"}]
    with client.chat.completions.stream(model=model, messages=messages, tools=[WEATHER]) as stream:
        arguments = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
        asked = stream.get_final_completion().choices[0]
    assert asked.finish_reason == "tool_calls"
    assert [event.name for event in arguments] == ["get_weather"]
    calls = asked.message.tool_calls
    assert calls is not None
    assert json.loads(calls[0].function.arguments)["city"] == "Paris"
    # The message goes back as the SDK made it, extra members and all.
    messages.append(asked.message.to_dict())  # type: ignore[arg-type]  # what the SDK's own guide does
    messages.append({"role": "tool", "tool_call_id": calls[0].id, "content": "23 degrees and sunny"})
    answer = client.chat.completions.create(model=model, messages=messages, tools=[WEATHER])
    assert "23 degrees" in (answer.choices[0].message.content or "")


@pytest.mark.parametrize("model", ["gpt-4o", "claude-sonnet-4.5"])
def test_two_calls_at_once_keep_apart(client: openai.OpenAI, model: str) -> None:
    time_tool: ChatCompletionToolUnionParam = {
        "type": "function",
        "function": {"name": "get_time", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
    }
    with client.chat.completions.stream(
        model=model,
        messages=[{"role": "user", "content": "Use get_weather and get_time for Oslo"}],
        tools=[WEATHER, time_tool],
    ) as stream:
        stream.until_done()
        calls = stream.get_final_completion().choices[0].message.tool_calls
    assert calls is not None
    assert [call.function.name for call in calls] == ["get_weather", "get_time"]
    assert all(json.loads(call.function.arguments)["city"] == "Oslo" for call in calls)
    assert len({call.id for call in calls}) == 2


@pytest.mark.parametrize("model", ["gpt-4o", "claude-sonnet-4.5"])
def test_an_image_is_seen(client: openai.OpenAI, simulator: SimulatorServer, model: str) -> None:
    answer = client.chat.completions.create(
        model=model,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is in this image?"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{RED}"}},
                ],
            }
        ],
    )
    content = answer.choices[0].message.content or ""
    assert "image/png" in content
    assert "37" in content
    assert "21" in content
    sent = simulator.world.log[-1].request
    assert sent.headers["copilot-vision-request"] == "true"
    assert sent.headers["x-initiator"] == "user"


def test_reasoning_comes_beside_the_content(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="gemini-3.1-pro-preview",
        messages=[{"role": "user", "content": "Think about primes, then answer."}],
        reasoning_effort="high",
        stream=True,
    )
    reasoning, content = "", ""
    for chunk in stream:
        for choice in chunk.choices:
            content += choice.delta.content or ""
            reasoning += getattr(choice.delta, "reasoning_content", None) or ""
    assert reasoning
    assert content
    assert reasoning not in content


def test_models_are_listed_and_found_by_every_name(client: openai.OpenAI) -> None:
    ids = {model.id for model in client.models.list()}
    assert {"gpt-4o", "claude-opus-4.5", "claude-sonnet-4-5-20250929", "gpt-5.3-codex", "claude-opus-5.5"} <= ids
    assert "gpt-41-copilot" not in ids, "a model that no door reaches is offered"
    assert client.models.retrieve("claude-sonnet-4-5-20250929").id == "claude-sonnet-4-5-20250929"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such-model")


def test_shipped_routes_decide_and_the_answer_says_what_was_asked(client: openai.OpenAI, gateway: Gateway) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}]
    )
    assert raw.parse().model == "gpt-4o-mini"
    assert raw.headers["x-bridge-model"] == "claude-opus-4.5"
    assert raw.headers["x-bridge-upstream"] == "chat"
    row = gateway.row(raw.headers["x-request-id"])
    assert (row["requested_model"], row["served_model"]) == ("gpt-4o-mini", "claude-opus-4.5")
    whole, _, rest = raw.headers["x-bridge-cost"].partition(".")
    assert int(whole) * 10**9 + int(rest) == row["nano_reported"]


def test_the_ledger_row_equals_what_the_simulator_billed(
    client: openai.OpenAI, gateway: Gateway, simulator: SimulatorServer
) -> None:
    before = simulator.control("GET", "account/credits")["nano_aiu"]
    raw = client.chat.completions.with_raw_response.create(
        model="claude-sonnet-4.5", messages=[{"role": "user", "content": "What is a ledger?"}]
    )
    usage = raw.parse().usage
    billed = simulator.control("GET", "account/credits")["nano_aiu"] - before
    row = gateway.row(raw.headers["x-request-id"])
    assert row["nano_reported"] == billed > 0
    assert row["nano_computed"] == billed
    assert row["cost_source"] == "reported"
    assert usage is not None
    assert row["input_tokens"] + row["cached_tokens"] + row["cache_write_tokens"] == usage.prompt_tokens
    assert row["output_tokens"] == usage.completion_tokens
    assert (row["status"], row["http_status"], row["stop_reason"]) == ("settled", 200, "stop")
    assert row["member_name"] == "owner"
    assert row["key_name"] == "tests"
    assert row["seat_name"] == "credits"
    assert row["client"].startswith("OpenAI/Python")
    assert row["first_byte_ms"] is not None
    assert row["total_ms"] >= row["first_byte_ms"]


def test_an_agents_turn_is_told_honestly(client: openai.OpenAI, simulator: SimulatorServer) -> None:
    client.chat.completions.create(
        model="gpt-4o",
        messages=[
            {"role": "user", "content": "Use get_weather for Rome"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        ],
        tools=[WEATHER],
    )
    assert simulator.world.log[-1].request.headers["x-initiator"] == "agent"

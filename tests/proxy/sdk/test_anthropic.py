"""The `anthropic` SDK at the messages door, before models of every upstream format."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
from anthropic import beta_tool
from anthropic.types import ToolParam
from pydantic import BaseModel

from tests.gateway import Gateway
from tests.proxy.sdk.crossings import CITY, MODEL_OF, QUESTION, every_upstream
from tests.proxy.sdk.test_openai_chat_families import RED
from tests.simulator.server import SimulatorServer

WEATHER: ToolParam = {"name": "get_weather", "description": "The weather in a city", "input_schema": CITY}
LIMIT = 4000


class Weather(BaseModel):
    city: str
    degrees: int


@every_upstream
def test_create_answers_whole(claude_client: anthropic.Anthropic, gateway: Gateway, upstream: str) -> None:
    raw = claude_client.messages.with_raw_response.create(
        model=MODEL_OF[upstream], max_tokens=LIMIT, messages=[{"role": "user", "content": QUESTION}]
    )
    answer = raw.parse()
    assert raw.headers["x-bridge-upstream"] == upstream
    assert raw.headers["request-id"] == raw.headers["x-request-id"]
    assert answer.model == MODEL_OF[upstream]
    text = "".join(block.text for block in answer.content if block.type == "text")
    assert "monad" in text.lower()
    assert answer.stop_reason == "end_turn"
    row = gateway.row(raw.headers["x-request-id"])
    assert answer.usage.input_tokens == row["input_tokens"]
    assert (answer.usage.cache_read_input_tokens or 0) == row["cached_tokens"]
    assert (answer.usage.cache_creation_input_tokens or 0) == row["cache_write_tokens"]
    assert answer.usage.output_tokens == row["output_tokens"]


@every_upstream
def test_stream_gives_the_same_answer_piece_by_piece(
    claude_client: anthropic.Anthropic, gateway: Gateway, upstream: str
) -> None:
    with claude_client.messages.stream(
        model=MODEL_OF[upstream], max_tokens=LIMIT, messages=[{"role": "user", "content": QUESTION}]
    ) as stream:
        pieces = list(stream.text_stream)
        final = stream.get_final_message()
    assert len(pieces) > 3, "the answer came in one piece"
    assert "".join(pieces) == "".join(block.text for block in final.content if block.type == "text")
    row = gateway.rows()[-1]
    assert final.usage.input_tokens == row["input_tokens"]
    assert final.usage.output_tokens == row["output_tokens"]


@every_upstream
def test_a_tool_is_called_and_its_result_is_answered(claude_client: anthropic.Anthropic, upstream: str) -> None:
    model = MODEL_OF[upstream]
    messages: list[Any] = [{"role": "user", "content": "Use get_weather for Paris"}]
    with claude_client.messages.stream(model=model, max_tokens=LIMIT, messages=messages, tools=[WEATHER]) as stream:
        asked = stream.get_final_message()
    assert asked.stop_reason == "tool_use"
    calls = [block for block in asked.content if block.type == "tool_use"]
    assert [(call.name, call.input) for call in calls] == [("get_weather", {"city": "Paris"})]
    messages += [
        {"role": "assistant", "content": [block.to_dict() for block in asked.content]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": calls[0].id, "content": "23 degrees and sunny"}],
        },
    ]
    answer = claude_client.messages.create(model=model, max_tokens=LIMIT, messages=messages, tools=[WEATHER])
    assert "23 degrees" in "".join(block.text for block in answer.content if block.type == "text")


@every_upstream
def test_the_tool_runner_goes_the_whole_way(claude_client: anthropic.Anthropic, upstream: str) -> None:
    asked: list[str] = []

    @beta_tool
    def get_weather(city: str) -> str:
        """The weather in a city.

        Args:
            city: The city's name.
        """
        asked.append(city)
        return "23 degrees and sunny"

    runner = claude_client.beta.messages.tool_runner(
        model=MODEL_OF[upstream],
        max_tokens=LIMIT,
        messages=[{"role": "user", "content": "Use get_weather for Paris"}],
        tools=[get_weather],
    )
    final = runner.until_done()
    assert asked == ["Paris"]
    assert "23 degrees" in "".join(block.text for block in final.content if block.type == "text")


@every_upstream
def test_parse_gives_an_object_of_the_wanted_class(claude_client: anthropic.Anthropic, upstream: str) -> None:
    answer = claude_client.messages.parse(
        model=MODEL_OF[upstream],
        max_tokens=LIMIT,
        messages=[{"role": "user", "content": "The weather in Lima, as JSON"}],
        output_format=Weather,
    )
    assert isinstance(answer.parsed_output, Weather)


@every_upstream
def test_an_image_is_seen_and_a_text_document_read(claude_client: anthropic.Anthropic, upstream: str) -> None:
    answer = claude_client.messages.create(
        model=MODEL_OF[upstream],
        max_tokens=LIMIT,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": RED}},
                    {
                        "type": "document",
                        "source": {"type": "text", "media_type": "text/plain", "data": "A small red box."},
                    },
                    {"type": "text", "text": "What is in this image?"},
                ],
            }
        ],
    )
    assert "37" in "".join(block.text for block in answer.content if block.type == "text")


@every_upstream
def test_thinking_is_shown_signed_and_goes_back(
    claude_client: anthropic.Anthropic, simulator: SimulatorServer, upstream: str
) -> None:
    wish: dict[str, Any] = {
        "model": MODEL_OF[upstream],
        "max_tokens": 16_000,
        "thinking": {"type": "adaptive"},
        "extra_body": {"output_config": {"effort": "high"}},
        "tools": [WEATHER],
    }
    messages: list[Any] = [{"role": "user", "content": "Think hard. Use get_weather for Rome"}]
    with claude_client.messages.stream(messages=messages, **wish) as stream:
        answer = stream.get_final_message()
    thoughts = [block for block in answer.content if block.type == "thinking"]
    assert "".join(block.thinking for block in thoughts)
    assert any(block.signature for block in thoughts)
    calls = [block for block in answer.content if block.type == "tool_use"]
    messages += [
        {"role": "assistant", "content": [block.to_dict() for block in answer.content]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": calls[0].id, "content": "rain"}]},
    ]
    again = claude_client.messages.create(messages=messages, **wish)
    assert "rain" in "".join(block.text for block in again.content if block.type == "text")
    sent = simulator.world.log[-1].request.body.decode()
    mark = {"chat": "reasoning_opaque", "responses": "encrypted_content", "messages": '"signature"'}[upstream]
    assert mark in sent
    assert "brg1." not in sent


@every_upstream
def test_a_stop_sequence_stops_and_is_named(claude_client: anthropic.Anthropic, upstream: str) -> None:
    answer = claude_client.messages.create(
        model=MODEL_OF[upstream],
        max_tokens=LIMIT,
        messages=[{"role": "user", "content": '@sim{"text": "one two STOP three"}'}],
        stop_sequences=["STOP"],
    )
    assert "".join(block.text for block in answer.content if block.type == "text") == "one two "
    assert answer.stop_reason in ("stop_sequence", "end_turn")
    if upstream != "chat":  # which says "stop" for either
        assert (answer.stop_reason, answer.stop_sequence) == ("stop_sequence", "STOP")


@every_upstream
def test_tokens_are_counted_before_they_are_spent(claude_client: anthropic.Anthropic, upstream: str) -> None:
    counted = claude_client.messages.count_tokens(
        model=MODEL_OF[upstream], messages=[{"role": "user", "content": QUESTION}], tools=[WEATHER]
    )
    assert counted.input_tokens > 10


def test_models_are_listed_page_by_page_and_found(claude_client: anthropic.Anthropic) -> None:
    ids = [model.id for model in claude_client.models.list(limit=5)]
    assert set(MODEL_OF.values()) <= set(ids)
    assert len(ids) == len(set(ids)) > 5
    assert claude_client.models.retrieve("claude-opus-5-5").type == "model"
    with pytest.raises(anthropic.NotFoundError):
        claude_client.models.retrieve("no-such-model")


@every_upstream
def test_a_refusal_is_the_sdks_own_exception(claude_client: anthropic.Anthropic, upstream: str) -> None:
    with pytest.raises(anthropic.BadRequestError, match="no and no"):
        claude_client.messages.create(
            model=MODEL_OF[upstream],
            max_tokens=LIMIT,
            messages=[{"role": "user", "content": '@sim{"fault": "status:400", "message": "no and no"}'}],
        )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (402, anthropic.APIStatusError),
        (429, anthropic.RateLimitError),
        (403, anthropic.PermissionDeniedError),
    ],
)
def test_what_a_seat_is_refused_keeps_its_status(
    claude_client: anthropic.Anthropic,
    well_seats: None,
    status: int,
    kind: type[anthropic.APIStatusError],
) -> None:
    with pytest.raises(kind, match="no and no") as refused:
        claude_client.messages.create(
            model=MODEL_OF["messages"],
            max_tokens=LIMIT,
            messages=[{"role": "user", "content": f'@sim{{"fault": "status:{status}", "message": "no and no"}}'}],
        )
    assert refused.value.status_code == status


@every_upstream
def test_a_stream_that_breaks_raises(gateway: Gateway, upstream: str) -> None:
    with (
        anthropic.Anthropic(base_url=gateway.url, api_key=gateway.key, max_retries=0) as client,
        pytest.raises(anthropic.APIStatusError),
        client.messages.stream(
            model=MODEL_OF[upstream],
            max_tokens=LIMIT,
            messages=[{"role": "user", "content": 'Tell me a lot. @sim{"fault": "cut:3"}'}],
        ) as stream,
    ):
        stream.until_done()

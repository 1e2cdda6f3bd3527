"""The `openai` SDK at the chat door, before models of every upstream format."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai import pydantic_function_tool
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolUnionParam
from pydantic import BaseModel

from tests.gateway import Gateway
from tests.proxy.sdk.crossings import CITY, MODEL_OF, QUESTION, every_upstream
from tests.proxy.sdk.test_openai_chat_families import RED
from tests.simulator.server import SimulatorServer

WEATHER: ChatCompletionToolUnionParam = {
    "type": "function",
    "function": {"name": "get_weather", "description": "The weather in a city", "parameters": CITY},
}


class Weather(BaseModel):
    city: str
    degrees: int


class GetWeather(BaseModel):
    """The weather in a city."""

    city: str


@every_upstream
def test_create_answers_whole(openai_client: openai.OpenAI, gateway: Gateway, upstream: str) -> None:
    raw = openai_client.chat.completions.with_raw_response.create(
        model=MODEL_OF[upstream], messages=[{"role": "user", "content": QUESTION}]
    )
    answer = raw.parse()
    assert raw.headers["x-bridge-upstream"] == upstream
    assert answer.model == MODEL_OF[upstream]
    assert "monad" in (answer.choices[0].message.content or "").lower()
    assert answer.choices[0].finish_reason == "stop"
    usage, row = answer.usage, gateway.row(raw.headers["x-request-id"])
    assert usage is not None
    assert usage.prompt_tokens == row["input_tokens"] + row["cached_tokens"] + row["cache_write_tokens"]
    assert usage.completion_tokens == row["output_tokens"]
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert row["status"] == "settled"
    assert row["upstream_format"] == upstream


@every_upstream
def test_stream_gives_the_same_answer_piece_by_piece(
    openai_client: openai.OpenAI, gateway: Gateway, upstream: str
) -> None:
    with openai_client.chat.completions.stream(
        model=MODEL_OF[upstream],
        messages=[{"role": "user", "content": QUESTION}],
        stream_options={"include_usage": True},
    ) as stream:
        pieces = [event.delta for event in stream if event.type == "content.delta"]
        final = stream.get_final_completion()
    assert len(pieces) > 3, "the answer came in one piece"
    assert "".join(pieces) == final.choices[0].message.content
    assert final.model == MODEL_OF[upstream]
    row = gateway.rows()[-1]
    assert final.usage is not None
    assert final.usage.completion_tokens == row["output_tokens"] > 0
    assert final.usage.prompt_tokens == row["input_tokens"] + row["cached_tokens"] + row["cache_write_tokens"]


@every_upstream
def test_a_tool_is_called_and_its_result_is_answered(openai_client: openai.OpenAI, upstream: str) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Use get_weather for Paris"}]
    model = MODEL_OF[upstream]
    with openai_client.chat.completions.stream(model=model, messages=messages, tools=[WEATHER]) as stream:
        done = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
        asked = stream.get_final_completion().choices[0]
    assert asked.finish_reason == "tool_calls"
    assert [event.name for event in done] == ["get_weather"]
    calls = asked.message.tool_calls
    assert calls is not None
    assert json.loads(calls[0].function.arguments)["city"] == "Paris"
    messages.append(asked.message.to_dict())  # type: ignore[arg-type]  # what the SDK's own guide does
    messages.append({"role": "tool", "tool_call_id": calls[0].id, "content": "23 degrees and sunny"})
    answer = openai_client.chat.completions.create(model=model, messages=messages, tools=[WEATHER])
    assert "23 degrees" in (answer.choices[0].message.content or "")


@every_upstream
def test_two_calls_at_once_keep_apart(openai_client: openai.OpenAI, upstream: str) -> None:
    time_tool: ChatCompletionToolUnionParam = {
        "type": "function",
        "function": {"name": "get_time", "description": "The time in a city", "parameters": CITY},
    }
    answer = openai_client.chat.completions.create(
        model=MODEL_OF[upstream],
        messages=[{"role": "user", "content": "Use get_weather and get_time for Oslo"}],
        tools=[WEATHER, time_tool],
    )
    calls: list[Any] = answer.choices[0].message.tool_calls or []
    assert [call.function.name for call in calls] == ["get_weather", "get_time"]
    assert all(json.loads(call.function.arguments)["city"] == "Oslo" for call in calls)
    assert len({call.id for call in calls}) == 2


@every_upstream
def test_parse_gives_an_object_of_the_wanted_class(openai_client: openai.OpenAI, upstream: str) -> None:
    answer = openai_client.chat.completions.parse(
        model=MODEL_OF[upstream],
        messages=[{"role": "user", "content": "The weather in Lima, as JSON"}],
        response_format=Weather,
    )
    assert isinstance(answer.choices[0].message.parsed, Weather)


@every_upstream
def test_parse_reads_the_arguments_of_a_strict_tool(openai_client: openai.OpenAI, upstream: str) -> None:
    answer = openai_client.chat.completions.parse(
        model=MODEL_OF[upstream],
        messages=[{"role": "user", "content": "Use GetWeather for Lima"}],
        tools=[pydantic_function_tool(GetWeather)],
    )
    calls: list[Any] = answer.choices[0].message.tool_calls or []
    assert isinstance(calls[0].function.parsed_arguments, GetWeather)


@every_upstream
def test_a_required_tool_is_called(openai_client: openai.OpenAI, upstream: str) -> None:
    answer = openai_client.chat.completions.create(
        model=MODEL_OF[upstream],
        messages=[{"role": "user", "content": "Hello"}],
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
    )
    calls: list[Any] = answer.choices[0].message.tool_calls or []
    assert [call.function.name for call in calls] == ["get_weather"]


@every_upstream
def test_an_image_is_seen(openai_client: openai.OpenAI, simulator: SimulatorServer, upstream: str) -> None:
    answer = openai_client.chat.completions.create(
        model=MODEL_OF[upstream],
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
    assert simulator.world.log[-1].request.headers["copilot-vision-request"] == "true"


@every_upstream
def test_reasoning_comes_beside_the_content_and_goes_back(
    openai_client: openai.OpenAI, simulator: SimulatorServer, upstream: str
) -> None:
    model = MODEL_OF[upstream]
    messages: list[Any] = [{"role": "user", "content": "Think hard. Use get_weather for Rome"}]
    answer = openai_client.chat.completions.create(
        model=model, messages=messages, tools=[WEATHER], reasoning_effort="high"
    )
    message = answer.choices[0].message
    assert getattr(message, "reasoning_content", None)
    assert getattr(message, "reasoning_opaque", None)
    calls: list[Any] = message.tool_calls or []
    messages += [message.to_dict(), {"role": "tool", "tool_call_id": calls[0].id, "content": "rain"}]
    again = openai_client.chat.completions.create(
        model=model, messages=messages, tools=[WEATHER], reasoning_effort="high"
    )
    assert "rain" in (again.choices[0].message.content or "")
    sent = simulator.world.log[-1].request.body.decode()
    mark = {"chat": "reasoning_opaque", "responses": "encrypted_content", "messages": '"signature"'}[upstream]
    assert mark in sent
    assert "brg1." not in sent


@every_upstream
def test_a_stop_sequence_stops(openai_client: openai.OpenAI, upstream: str) -> None:
    answer = openai_client.chat.completions.create(
        model=MODEL_OF[upstream],
        messages=[{"role": "user", "content": '@sim{"text": "one two STOP three"}'}],
        stop=["STOP"],
    )
    assert answer.choices[0].message.content == "one two "
    assert answer.choices[0].finish_reason == "stop"


@every_upstream
def test_a_small_limit_is_kept_and_said(openai_client: openai.OpenAI, upstream: str) -> None:
    answer = openai_client.chat.completions.create(
        model=MODEL_OF[upstream],
        messages=[{"role": "user", "content": f"Tell me everything. {'And more. ' * 20}"}],
        max_completion_tokens=16,
    )
    assert answer.choices[0].finish_reason == "length"


@every_upstream
def test_a_refusal_is_the_sdks_own_exception(openai_client: openai.OpenAI, upstream: str) -> None:
    with pytest.raises(openai.BadRequestError, match="no and no"):
        openai_client.chat.completions.create(
            model=MODEL_OF[upstream],
            messages=[{"role": "user", "content": '@sim{"fault": "status:400", "message": "no and no"}'}],
        )


@pytest.mark.parametrize("status", [402, 429])
def test_what_a_seat_is_refused_is_a_matter_of_rates(
    openai_client: openai.OpenAI, well_seats: None, status: int
) -> None:
    with pytest.raises(openai.RateLimitError, match="no and no"):
        openai_client.chat.completions.create(
            model=MODEL_OF["responses"],
            messages=[{"role": "user", "content": f'@sim{{"fault": "status:{status}", "message": "no and no"}}'}],
        )


@every_upstream
def test_a_stream_that_breaks_raises(gateway: Gateway, upstream: str) -> None:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0) as client:
        stream = client.chat.completions.create(
            model=MODEL_OF[upstream],
            messages=[{"role": "user", "content": 'Tell me a lot. @sim{"fault": "cut:3"}'}],
            stream=True,
        )
        with pytest.raises(openai.APIError):
            for _ in stream:
                pass

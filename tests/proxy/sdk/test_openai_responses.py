"""The `openai` SDK at the responses door, before models of every upstream format."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai.types.responses import FunctionToolParam
from pydantic import BaseModel

from tests.gateway import Gateway
from tests.proxy.sdk.crossings import CITY, MODEL_OF, QUESTION, every_upstream
from tests.proxy.sdk.test_openai_chat_families import RED
from tests.simulator.server import SimulatorServer

WEATHER: FunctionToolParam = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": CITY,
    "strict": False,
}


class Weather(BaseModel):
    city: str
    degrees: int


@every_upstream
def test_create_answers_whole(openai_client: openai.OpenAI, gateway: Gateway, upstream: str) -> None:
    raw = openai_client.responses.with_raw_response.create(model=MODEL_OF[upstream], input=QUESTION)
    answer = raw.parse()
    assert raw.headers["x-bridge-upstream"] == upstream
    assert answer.model == MODEL_OF[upstream]
    assert answer.status == "completed"
    assert "monad" in answer.output_text.lower()
    usage, row = answer.usage, gateway.row(raw.headers["x-request-id"])
    assert usage is not None
    assert usage.input_tokens == row["input_tokens"] + row["cached_tokens"] + row["cache_write_tokens"]
    assert usage.input_tokens_details.cached_tokens == row["cached_tokens"]
    assert usage.output_tokens == row["output_tokens"]
    assert usage.output_tokens_details.reasoning_tokens == row["reasoning_tokens"]


@every_upstream
def test_stream_gives_the_same_answer_piece_by_piece(
    openai_client: openai.OpenAI, gateway: Gateway, upstream: str
) -> None:
    with openai_client.responses.stream(model=MODEL_OF[upstream], input=QUESTION) as stream:
        pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert len(pieces) > 3, "the answer came in one piece"
    assert "".join(pieces) == final.output_text
    row = gateway.rows()[-1]
    assert final.usage is not None
    assert final.usage.output_tokens == row["output_tokens"] > 0


@every_upstream
def test_a_tool_is_called_and_its_result_is_answered(openai_client: openai.OpenAI, upstream: str) -> None:
    history: list[Any] = [{"role": "user", "content": "Use get_weather for Paris"}]
    model = MODEL_OF[upstream]
    with openai_client.responses.stream(model=model, input=history, tools=[WEATHER]) as stream:
        done = [event for event in stream if event.type == "response.function_call_arguments.done"]
        asked = stream.get_final_response()
    calls = [item for item in asked.output if item.type == "function_call"]
    assert [call.name for call in calls] == ["get_weather"]
    assert json.loads(done[0].arguments)["city"] == "Paris"
    history += [item.to_dict() for item in asked.output]
    history.append({"type": "function_call_output", "call_id": calls[0].call_id, "output": "23 degrees and sunny"})
    answer = openai_client.responses.create(model=model, input=history, tools=[WEATHER])
    assert "23 degrees" in answer.output_text


@every_upstream
def test_a_custom_tool_takes_free_text(openai_client: openai.OpenAI, upstream: str) -> None:
    answer = openai_client.responses.create(
        model=MODEL_OF[upstream],
        input="Use write_note for the shopping list",
        tools=[{"type": "custom", "name": "write_note", "description": "Writes a note"}],
        tool_choice="required",
    )
    calls = [item for item in answer.output if item.type == "custom_tool_call"]
    assert [call.name for call in calls] == ["write_note"]
    assert not calls[0].input.startswith('{"input"')


@every_upstream
def test_parse_gives_an_object_of_the_wanted_class(openai_client: openai.OpenAI, upstream: str) -> None:
    answer = openai_client.responses.parse(
        model=MODEL_OF[upstream], input="The weather in Lima, as JSON", text_format=Weather
    )
    assert isinstance(answer.output_parsed, Weather)


@every_upstream
def test_an_image_is_seen_in_the_question_and_in_a_tools_result(openai_client: openai.OpenAI, upstream: str) -> None:
    image: Any = {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{RED}"}
    asked: Any = [
        {"role": "user", "content": [{"type": "input_text", "text": "What is in this image?"}, image]},
    ]
    answer = openai_client.responses.create(model=MODEL_OF[upstream], input=asked)
    assert "37" in answer.output_text
    shown: Any = [
        {"role": "user", "content": "What is in the image that the tool shows?"},
        {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": [image]},
    ]
    answer = openai_client.responses.create(model=MODEL_OF[upstream], input=shown, tools=[WEATHER])
    assert answer.status == "completed"


@every_upstream
def test_reasoning_is_shown_sealed_and_goes_back(
    openai_client: openai.OpenAI, simulator: SimulatorServer, upstream: str
) -> None:
    model = MODEL_OF[upstream]
    history: list[Any] = [{"role": "user", "content": "Think hard. Use get_weather for Rome"}]
    wish: Any = {
        "model": model,
        "tools": [WEATHER],
        "reasoning": {"effort": "high", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "store": False,
    }
    with openai_client.responses.stream(input=history, **wish) as stream:
        stream.until_done()
        answer = stream.get_final_response()
    thoughts = [item for item in answer.output if item.type == "reasoning"]
    assert any(item.summary for item in thoughts)
    assert any(item.encrypted_content for item in thoughts)
    calls = [item for item in answer.output if item.type == "function_call"]
    history += [item.to_dict() for item in answer.output]
    history.append({"type": "function_call_output", "call_id": calls[0].call_id, "output": "rain"})
    again = openai_client.responses.create(input=history, **wish)
    assert "rain" in again.output_text
    sent = simulator.world.log[-1].request.body.decode()
    mark = {"chat": "reasoning_opaque", "responses": '"type":"reasoning"', "messages": '"signature"'}[upstream]
    assert mark in sent
    assert "brg1." not in sent


@every_upstream
def test_a_stored_reply_is_gone_on_with_listed_and_deleted(openai_client: openai.OpenAI, upstream: str) -> None:
    model = MODEL_OF[upstream]
    first = openai_client.responses.create(model=model, input="My name is Ada. Hello!", store=True)
    assert openai_client.responses.retrieve(first.id).output_text == first.output_text
    items = list(openai_client.responses.input_items.list(first.id))
    assert len(items) == 1
    second = openai_client.responses.create(model=model, input="And what is a monad?", previous_response_id=first.id)
    assert second.status == "completed"
    assert second.previous_response_id == first.id
    openai_client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        openai_client.responses.retrieve(first.id)
    with pytest.raises(openai.BadRequestError) as refused:
        openai_client.responses.create(model=model, input="Again", previous_response_id=first.id)
    assert refused.value.code == "previous_response_not_found"


def test_nothing_is_stored_unasked(openai_client: openai.OpenAI) -> None:
    answer = openai_client.responses.create(model=MODEL_OF["responses"], input="Hello")
    with pytest.raises(openai.NotFoundError):
        openai_client.responses.retrieve(answer.id)
    with pytest.raises(openai.NotFoundError):
        openai_client.responses.cancel(answer.id)


@every_upstream
def test_a_small_limit_leaves_the_answer_incomplete(openai_client: openai.OpenAI, upstream: str) -> None:
    answer = openai_client.responses.create(
        model=MODEL_OF[upstream], input=f"Tell me everything. {'And more. ' * 20}", max_output_tokens=16
    )
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"


def test_a_web_search_is_made_and_cited(openai_client: openai.OpenAI) -> None:
    answer = openai_client.responses.create(
        model=MODEL_OF["responses"], input="Search the web for monads", tools=[{"type": "web_search"}]
    )
    assert [item.type for item in answer.output if item.type == "web_search_call"]


@pytest.mark.parametrize("upstream", ["chat", "messages"])
def test_where_there_is_no_web_search_the_answer_says_so(openai_client: openai.OpenAI, upstream: str) -> None:
    raw = openai_client.responses.with_raw_response.create(
        model=MODEL_OF[upstream], input="Search the web for monads", tools=[{"type": "web_search"}]
    )
    assert "web_search" in raw.headers["x-bridge-dropped"]
    assert raw.parse().output_text


def test_input_tokens_are_counted(openai_client: openai.OpenAI) -> None:
    counted = openai_client.responses.input_tokens.count(model=MODEL_OF["responses"], input=QUESTION)
    assert counted.input_tokens > 3


@every_upstream
def test_a_stream_that_breaks_ends_in_failed(gateway: Gateway, upstream: str) -> None:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0) as client:
        stream = client.responses.create(
            model=MODEL_OF[upstream], input='Tell me a lot. @sim{"fault": "cut:3"}', stream=True
        )
        events = list(stream)
    assert events[-1].type == "response.failed"
    assert events[-1].response.error is not None
    assert events[-1].response.error.code == "server_error"

"""Chat completions: the manners of each family, streamed and whole."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator_tests.asking import CHAT_WEATHER, Asker, chunks, deltas, sim_words, user

if TYPE_CHECKING:
    import httpx

    from tests.simulator.server import SimulatorServer

WEATHER_IN_TWO = "What is the weather in Paris and London?"


@pytest.fixture
def asker(sim: SimulatorServer, client: httpx.Client) -> Asker:
    return Asker(sim, client)


def tool_deltas(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [call for delta in found for call in delta.get("tool_calls", ())]


def test_old_gpt_leads_with_filters_and_repeats_nulls(asker: Asker) -> None:
    found = chunks(asker.chat("hello", "gpt-4o", stream=True))
    assert found[0]["choices"] == []
    assert found[0]["prompt_filter_results"][0]["content_filter_results"]["hate"]["severity"] == "safe"
    assert (found[0]["id"], found[0]["created"]) == ("", 0)
    assert found[1]["choices"][0]["delta"] == {"content": "", "role": "assistant"}
    assert found[2]["choices"][0]["delta"]["role"] is None
    assert found[-1]["choices"][0]["delta"] == {"content": None, "role": None}
    assert found[-1]["choices"][0]["finish_reason"] == "stop"
    assert found[-1]["usage"]["total_tokens"] > 0
    assert all("object" not in chunk for chunk in found)
    assert found[1]["model"] == "gpt-4o-2024-11-20"


def test_new_gpt_sends_usage_in_a_chunk_of_its_own(asker: Asker) -> None:
    found = chunks(asker.chat("hello", "gpt-5-mini", stream=True))
    assert found[1]["object"] == "chat.completion.chunk"
    assert found[1]["usage"] is None
    assert found[-1]["choices"] == []
    assert found[-1]["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0
    assert found[-1]["copilot_usage"]["total_nano_aiu"] > 0
    assert found[-2]["choices"][0]["finish_reason"] == "stop"


def test_gpt_calls_are_numbered_from_zero_with_arguments_in_pieces(asker: Asker) -> None:
    found = tool_deltas(deltas(asker.chat(WEATHER_IN_TWO, "gpt-4o", stream=True, tools=[CHAT_WEATHER])))
    heads = [call for call in found if "id" in call]
    assert [(call["index"], call["function"]["arguments"]) for call in heads] == [(0, ""), (1, "")]
    for index, city in ((0, "Paris"), (1, "London")):
        joined = "".join(call["function"]["arguments"] for call in found if call["index"] == index)
        assert json.loads(joined) == {"city": city}


@pytest.mark.parametrize(("model", "indexes"), [("claude-sonnet-4", [0, 0]), ("claude-sonnet-4.6", [1, 2])])
def test_claude_numbers_its_calls_oddly_and_names_without_arguments(
    asker: Asker, model: str, indexes: list[int]
) -> None:
    response = asker.chat(WEATHER_IN_TWO, model, stream=True, tools=[CHAT_WEATHER])
    found = tool_deltas(deltas(response))
    heads = [call for call in found if "id" in call]
    assert [call["index"] for call in heads] == indexes
    assert all("arguments" not in call["function"] for call in heads)
    assert all("name" not in call["function"] and call["type"] == "function" for call in found if "id" not in call)
    assert all(re.fullmatch(r"toolu_(bdrk_|vrtx_)?01\w{22}", call["id"]) for call in heads)


def test_claude_repeats_the_role_and_has_no_object(asker: Asker) -> None:
    found = chunks(asker.chat("hello", "claude-sonnet-4.6", stream=True))
    said = [chunk["choices"][0]["delta"] for chunk in found if chunk["choices"][0]["delta"].get("content")]
    assert len(said) > 3
    assert all(delta["role"] == "assistant" for delta in said)
    assert all("object" not in chunk for chunk in found)
    assert found[0]["choices"][0]["content_filter_results"]["hate"]["severity"] == "0"
    assert found[-1]["usage"]["prompt_tokens"] > 0
    assert {"usage", "copilot_usage"} <= found[-1].keys()
    assert found[-1]["choices"][0]["finish_reason"] == "stop"


def test_claude_splits_a_whole_answer_into_choices(asker: Asker) -> None:
    body = asker.chat(WEATHER_IN_TWO, "claude-sonnet-4.6", tools=[CHAT_WEATHER]).json()
    assert "object" not in body
    assert [choice["finish_reason"] for choice in body["choices"]] == ["tool_calls"] * 3
    assert body["choices"][0]["message"]["content"]
    assert "tool_calls" not in body["choices"][0]["message"]
    assert [len(choice["message"]["tool_calls"]) for choice in body["choices"][1:]] == [1, 1]


def test_gpt_keeps_a_whole_answer_in_one_choice(asker: Asker) -> None:
    body = asker.chat(WEATHER_IN_TWO, "gpt-4.1", tools=[CHAT_WEATHER]).json()
    [choice] = body["choices"]
    assert len(choice["message"]["tool_calls"]) == 2
    assert body["object"] == "chat.completion"


def test_gemini_sends_whole_arguments_and_usage_on_every_chunk(asker: Asker) -> None:
    found = chunks(asker.chat(WEATHER_IN_TWO, "gemini-3.8-flash", stream=True, tools=[CHAT_WEATHER]))
    assert all("usage" in chunk for chunk in found)
    assert {chunk["usage"]["total_tokens"] for chunk in found[:-1]} == {0}
    usage = found[-1]["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] + usage["reasoning_tokens"]
    assert usage["reasoning_tokens"] > 0
    calls = tool_deltas([chunk["choices"][0]["delta"] for chunk in found])
    assert [(call["index"], json.loads(call["function"]["arguments"])["city"]) for call in calls] == [
        (0, "Paris"),
        (1, "London"),
    ]
    assert found[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert found[-1]["choices"][0]["delta"]["tool_calls"]
    assert found[0]["choices"][0]["delta"]["reasoning_text"]


@pytest.mark.parametrize(
    ("place", "beside"),
    [("with_reasoning", None), ("with_content", "content"), ("with_call", "tool_calls"), ("with_finish", None)],
)
def test_the_opaque_blob_stands_in_each_of_its_places(asker: Asker, place: str, beside: str | None) -> None:
    question = WEATHER_IN_TWO + sim_words(opaque=place)
    found = chunks(asker.chat(question, "gemini-3.8-flash", stream=True, tools=[CHAT_WEATHER]))
    [at] = [n for n, chunk in enumerate(found) if "reasoning_opaque" in chunk["choices"][0]["delta"]]
    delta = found[at]["choices"][0]["delta"]
    if beside is not None:
        assert delta[beside]
    if place == "with_finish":
        assert at == len(found) - 1
    if place == "with_reasoning":
        assert delta["content"] is None
        assert "tool_calls" not in delta


def test_the_opaque_blob_can_come_without_words(asker: Asker) -> None:
    found = deltas(asker.chat("hello" + sim_words(reasoning="opaque_only"), "gemini-3.8-flash", stream=True))
    assert not any("reasoning_text" in delta for delta in found)
    assert any("reasoning_opaque" in delta for delta in found)


def test_gemini_wants_its_opaque_blob_back(asker: Asker) -> None:
    first = asker.chat("weather in Paris?", "gemini-3.8-flash", tools=[CHAT_WEATHER]).json()["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": first["tool_calls"][0]["id"], "content": "sunny, 21 degrees"}
    body = {
        "model": "gemini-3.8-flash",
        "tools": [CHAT_WEATHER],
        "messages": [user("weather in Paris?"), first, result],
    }
    answer = asker.post("/chat/completions", body)
    assert "sunny, 21 degrees" in answer.json()["choices"][0]["message"]["content"]
    del first["reasoning_opaque"]
    refusal = asker.post("/chat/completions", body)
    assert refusal.status_code == 400
    assert "missing a thought_signature" in refusal.json()["error"]["message"]


def test_kimi_names_its_calls_by_tool_and_number(asker: Asker) -> None:
    for model, first in (("kimi-k3", "get_weather:0"), ("kimi-k2.7-code", "functions.get_weather:0")):
        calls = tool_deltas(deltas(asker.chat(WEATHER_IN_TWO, model, stream=True, tools=[CHAT_WEATHER])))
        assert next(call["id"] for call in calls) == first


def test_grok_shows_reasoning_when_asked(asker: Asker) -> None:
    quiet = deltas(asker.chat("hello", "grok-4.7", stream=True))
    loud = deltas(asker.chat("hello", "grok-4.7", stream=True, reasoning_effort="high"))
    assert not any("reasoning_text" in delta for delta in quiet)
    assert any("reasoning_text" in delta for delta in loud)


def test_the_cot_id_comes_after_the_finish_reason(asker: Asker) -> None:
    found = chunks(asker.chat("hello" + sim_words(reasoning="cot"), "gpt-5-mini", stream=True))
    choices = [chunk["choices"][0] for chunk in found if chunk["choices"]]
    assert choices[-2]["finish_reason"] == "stop"
    assert choices[-1]["delta"]["cot_id"].startswith("cot_")


@pytest.mark.parametrize(
    ("place", "with_usage"), [("on_finish", 1), ("separate", 1), ("absent", 0), ("every_chunk", None)]
)
def test_usage_stands_where_it_is_asked_to(asker: Asker, place: str, with_usage: int | None) -> None:
    found = chunks(asker.chat("hello" + sim_words(usage=place), "claude-sonnet-4.6", stream=True))
    number = sum(1 for chunk in found if chunk.get("usage"))
    assert number == (len(found) if with_usage is None else with_usage)
    assert (found[-1]["choices"] == []) == (place == "separate")


@pytest.mark.parametrize(("finish", "shown"), [("stop", "stop"), ("missing", None), ("error", "error")])
def test_the_finish_reason_can_lie_or_be_missing(asker: Asker, finish: str, shown: str | None) -> None:
    question = "weather in Paris?" + sim_words(finish=finish)
    found = chunks(asker.chat(question, "claude-sonnet-4.6", stream=True, tools=[CHAT_WEATHER]))
    assert tool_deltas([chunk["choices"][0]["delta"] for chunk in found])
    assert {chunk["choices"][0].get("finish_reason") for chunk in found} == {None, shown}


def test_done_can_be_left_out_and_comments_put_in(asker: Asker) -> None:
    assert asker.chat("hello", stream=True).content.endswith(b"data: [DONE]\n\n")
    assert b"[DONE]" not in asker.chat("hello" + sim_words(done=False), stream=True).content
    assert b"\n: keep-alive\n\n" in asker.chat("hello" + sim_words(keepalive=True), stream=True).content


def test_annotations_and_references_come_among_the_chunks(asker: Asker) -> None:
    found = chunks(asker.chat("hello" + sim_words(annotations=True), "claude-sonnet-4.6", stream=True))
    assert found[0]["choices"] is None
    assert found[0]["copilot_references"]
    delta = found[1]["choices"][0]["delta"]
    assert delta["copilot_annotations"] == delta["annotations"]


def test_a_filtered_answer_stops_halfway(asker: Asker) -> None:
    found = chunks(asker.chat("tell me about tea" + sim_words(content_filter=True), stream=True))
    last = found[-1]["choices"][0]
    assert last["finish_reason"] == "content_filter"
    assert last["content_filter_results"]["violence"]["filtered"] is True


def test_a_leaked_call_is_text_and_ends_as_nothing_happened(asker: Asker) -> None:
    question = "weather in Paris?" + sim_words(leaked_call=True)
    [choice] = asker.chat(question, "claude-sonnet-4.6", tools=[CHAT_WEATHER]).json()["choices"]
    assert '<invoke name="get_weather">\n<parameter name="city">Paris</parameter>' in choice["message"]["content"]
    assert choice["finish_reason"] == "stop"
    assert "tool_calls" not in choice["message"]


def test_choices_can_be_empty_and_the_body_another_format(asker: Asker) -> None:
    assert asker.chat("hello" + sim_words(empty=True), "claude-sonnet-4.6").json()["choices"] == []
    native = asker.chat("hello" + sim_words(native_body=True), "claude-sonnet-4.6").json()
    assert native["content"][0]["type"] == "text"
    assert "choices" not in native

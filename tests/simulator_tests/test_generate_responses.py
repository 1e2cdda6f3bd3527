"""Responses: the event sequence, rotating ids, ciphertexts, items."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator_tests.asking import PNG, RESPONSES_WEATHER, Asker, Event, events, sim_words

if TYPE_CHECKING:
    import httpx

    from tests.simulator.server import SimulatorServer

REASONS: dict[str, Any] = {
    "reasoning": {"effort": "high", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
}


@pytest.fixture
def asker(sim: SimulatorServer, client: httpx.Client) -> Asker:
    return Asker(sim, client)


def ids_of(found: list[Event]) -> list[str]:
    ids = []
    for event in found:
        data = event.data
        ids += [data[name] for name in ("item_id",) if name in data]
        ids += [data[name]["id"] for name in ("item", "response") if name in data]
    return ids


def of_type(found: list[Event], kind: str) -> list[dict[str, Any]]:
    return [event.data for event in found if event.data["type"] == kind]


def test_the_sequence_is_the_documented_one(asker: Asker) -> None:
    found = events(asker.respond("weather in Paris?", stream=True, tools=[RESPONSES_WEATHER], **REASONS))
    kinds = [event.name.removeprefix("response.") for event in found]
    once = [kind for n, kind in enumerate(kinds) if n == 0 or kinds[n - 1] != kind]
    assert once == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert [event.data["sequence_number"] for event in found] == list(range(len(found)))
    assert all(event.name == event.data["type"] for event in found)


def test_every_frame_has_a_fresh_id_and_call_ids_are_stable(asker: Asker) -> None:
    found = events(asker.respond("weather in Paris?", stream=True, tools=[RESPONSES_WEATHER], **REASONS))
    ids = ids_of(found) + [item["id"] for item in found[-1].data["response"]["output"]]
    assert len(set(ids)) == len(ids) > 20
    assert {len(name) for name in ids} == {400}
    calls = [
        event.data["item"]["call_id"] for event in found if event.data.get("item", {}).get("type") == "function_call"
    ]
    assert len(set(calls)) == 1
    assert found[-1].data["response"]["output"][2]["call_id"] == calls[0]


def test_ids_can_be_made_stable(asker: Asker) -> None:
    found = events(asker.respond("hello" + sim_words(rotating_ids=False), stream=True, **REASONS))
    assert len(set(ids_of(found))) == 3
    assert {name.partition("_")[0] for name in ids_of(found)} == {"resp", "rs", "msg"}


def test_ciphertext_differs_between_added_done_and_completed(asker: Asker) -> None:
    found = events(asker.respond("hello", stream=True, **REASONS))
    shown = [event.data["item"] for event in found if event.data.get("item", {}).get("type") == "reasoning"]
    shown.append(found[-1].data["response"]["output"][0])
    assert len({item["encrypted_content"] for item in shown}) == 3
    without = events(asker.respond("hello", stream=True))
    assert without[-1].data["response"]["output"][0]["encrypted_content"] is None


def test_deltas_add_up_to_the_done_events_and_the_final_output(asker: Asker) -> None:
    found = events(asker.respond("weather in Paris?", stream=True, tools=[RESPONSES_WEATHER]))
    text = "".join(data["delta"] for data in of_type(found, "response.output_text.delta"))
    arguments = "".join(data["delta"] for data in of_type(found, "response.function_call_arguments.delta"))
    output = found[-1].data["response"]["output"]
    assert of_type(found, "response.output_text.done")[0]["text"] == text == output[1]["content"][0]["text"]
    assert json.loads(arguments) == {"city": "Paris"}
    assert output[2]["arguments"] == arguments


def test_the_bill_is_beside_the_response_and_not_inside(asker: Asker) -> None:
    last = events(asker.respond("hello", stream=True))[-1].data
    assert last["copilot_usage"]["total_nano_aiu"] > 0
    assert "copilot_usage" not in last["response"]
    usage = last["response"]["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["output_tokens_details"]["reasoning_tokens"] > 0


def test_summaries_are_empty_unless_asked_for(asker: Asker) -> None:
    found = events(asker.respond("hello", stream=True))
    assert of_type(found, "response.reasoning_summary_text.delta") == []
    assert found[-1].data["response"]["output"][0]["summary"] == []
    none = events(asker.respond("hello", stream=True, reasoning={"effort": "none"}))
    assert [item["type"] for item in none[-1].data["response"]["output"]] == ["message"]


def test_phases_tell_commentary_from_the_final_answer(asker: Asker) -> None:
    calling = asker.respond("weather in Paris?", tools=[RESPONSES_WEATHER]).json()["output"]
    plain = asker.respond("hello").json()["output"]
    assert next(item["phase"] for item in calling if item["type"] == "message") == "commentary"
    assert next(item["phase"] for item in plain if item["type"] == "message") == "final_answer"


def test_a_tool_round_trip_quotes_the_result(asker: Asker) -> None:
    output = asker.respond("weather in Paris?", tools=[RESPONSES_WEATHER], **REASONS).json()["output"]
    result = {"type": "function_call_output", "call_id": output[-1]["call_id"], "output": "sunny, 21 degrees"}
    history = [{"role": "user", "content": "weather in Paris?"}, *output, result]
    last = asker.respond(history, tools=[RESPONSES_WEATHER], **REASONS).json()["output"][-1]
    assert "sunny, 21 degrees" in last["content"][0]["text"]


def test_a_custom_tool_gets_free_text(asker: Asker) -> None:
    tool = {"type": "custom", "name": "apply_patch", "description": "Edit files with a patch"}
    found = events(asker.respond("create a file hello.txt containing hi", stream=True, tools=[tool]))
    pieces = "".join(data["delta"] for data in of_type(found, "response.custom_tool_call_input.delta"))
    item = found[-1].data["response"]["output"][-1]
    assert item["type"] == "custom_tool_call"
    assert item["input"] == pieces == "*** Begin Patch\n*** Add File: hello.txt\n+hi\n*** End Patch\n"


def test_tools_in_the_input_and_their_namespace_are_used(asker: Asker) -> None:
    inner = {**RESPONSES_WEATHER, "name": "get_weather"}
    item = {
        "type": "additional_tools",
        "role": "developer",
        "tools": [{"type": "namespace", "name": "functions", "tools": [inner]}],
    }
    output = asker.respond([item, {"role": "user", "content": "weather in Paris?"}], "gpt-6-luna").json()["output"]
    assert (output[-1]["name"], output[-1]["namespace"]) == ("get_weather", "functions")


def test_a_web_search_is_an_item_with_a_citation(asker: Asker) -> None:
    found = events(asker.respond("search the web for tea", stream=True, tools=[{"type": "web_search"}]))
    assert [
        len(of_type(found, f"response.web_search_call.{phase}")) for phase in ("in_progress", "searching", "completed")
    ] == [1, 1, 1]
    assert of_type(found, "response.output_text.annotation.added")[0]["annotation"]["type"] == "url_citation"
    final = found[-1].data["response"]
    assert final["tool_usage"]["web_search"]["num_requests"] == 1
    assert [item["type"] for item in final["output"]] == ["reasoning", "web_search_call", "message"]


def test_a_limit_makes_the_response_incomplete(asker: Asker) -> None:
    found = events(asker.respond("tell me about tea", stream=True, max_output_tokens=16))
    assert found[-1].name == "response.incomplete"
    assert found[-1].data["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    filtered = asker.respond("tell me about tea" + sim_words(content_filter=True)).json()
    assert filtered["incomplete_details"] == {"reason": "content_filter"}
    assert filtered["content_filters"][0]["blocked"] is True


def test_an_early_failure_says_why_only_afterwards(asker: Asker) -> None:
    fault = sim_words(fault="early_failure", code="rate_limit_exceeded", message="slow down")
    found = events(asker.respond("hello" + fault, stream=True))
    assert [event.name for event in found] == ["response.created", "response.failed", "error"]
    assert found[1].data["response"]["error"] is None
    assert (found[2].data["code"], found[2].data["message"]) == ("rate_limit_exceeded", "slow down")
    nested = events(asker.respond("hello" + sim_words(fault="early_failure", body="nested"), stream=True))
    assert nested[2].data["error"]["code"] == "server_error"


def test_a_failure_in_the_middle_is_terminal(asker: Asker) -> None:
    found = events(asker.respond("hello" + sim_words(fault="failed", after=2, code="server_error"), stream=True))
    assert found[-1].name == "response.failed"
    assert found[-1].data["response"]["error"]["code"] == "server_error"
    assert len(of_type(found, "response.output_text.delta")) == 2


def test_event_lines_keepalives_and_done_as_asked(asker: Asker) -> None:
    found = events(asker.respond("hello" + sim_words(event_lines=False, keepalive=True, done=True), stream=True))
    assert {event.name for event in found} == {""}
    assert of_type(found[:-1], "keepalive")
    assert found[-1].data is None


def test_a_compaction_trigger_is_answered_with_compaction_alone(asker: Asker) -> None:
    trigger = [{"role": "user", "content": "hello"}, {"type": "compaction_trigger"}]
    assert [item["type"] for item in asker.respond(trigger).json()["output"]] == ["compaction"]
    both = asker.respond(trigger, "gpt-5-mini").json()["output"]
    assert [item["type"] for item in both] == ["compaction"] * 2
    again = asker.respond([both[0], {"role": "user", "content": "go on"}], "gpt-5-mini")
    assert again.status_code == 200


def test_a_long_prompt_is_compacted_past_its_threshold(asker: Asker) -> None:
    management = [{"type": "compaction", "compact_threshold": 5}]
    output = asker.respond("tell me a long story about tea", context_management=management).json()["output"]
    assert output[0]["type"] == "compaction"


def test_an_image_is_seen(asker: Asker) -> None:
    parts = [
        {"type": "input_text", "text": "What?"},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
    ]
    text = asker.respond([{"role": "user", "content": parts}]).json()["output"][-1]["content"][0]["text"]
    assert "image/png, 3x2 pixels" in text


def test_the_bench_shape_works_on_responses(asker: Asker) -> None:
    response = asker.respond("@@n=6,d=0,s=1200@@ go", stream=True)
    stamped = [data for data in of_type(events(response), "response.output_text.delta") if "@T" in data["delta"]]
    assert len(stamped) == 6
    assert all(re.match(r"@T\d{18}@", data["delta"]) for data in stamped)
    assert events(response)[-1].data["response"]["output"][-1]["content"][0]["text"].count("@T") == 6


def test_the_path_with_v1_answers_too(asker: Asker) -> None:
    assert asker.post("/v1/responses", {"model": "gpt-5.4", "input": "hello"}).json()["object"] == "response"

"""Messages: the stream, the whole body, thinking, caching, counting."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator_tests.asking import MESSAGES_WEATHER, PNG, Asker, Event, events, sim_words, user

if TYPE_CHECKING:
    import httpx

    from tests.simulator.server import SimulatorServer

LONG = "The quick brown fox jumps over the lazy dog. " * 120
THINKING = {"type": "enabled", "budget_tokens": 2000}


@pytest.fixture
def asker(sim: SimulatorServer, client: httpx.Client) -> Asker:
    return Asker(sim, client)


def block_texts(found: list[Event]) -> dict[int, tuple[str, str]]:
    """By index, the type of each block and its deltas joined."""
    blocks: dict[int, tuple[str, str]] = {}
    for event in found:
        data = event.data
        if event.name == "content_block_start":
            blocks[data["index"]] = (data["content_block"]["type"], "")
        elif event.name == "content_block_delta":
            kind, text = blocks[data["index"]]
            delta = data["delta"]
            blocks[data["index"]] = (
                kind,
                text + str(delta.get("text") or delta.get("partial_json") or delta.get("thinking") or ""),
            )
    return blocks


def test_the_stream_has_the_order_clients_rely_on(asker: Asker) -> None:
    found = events(asker.message("weather in Paris?", stream=True, tools=[MESSAGES_WEATHER], thinking=THINKING))
    assert all(event.name == event.data["type"] for event in found)
    names = [event.name for event in found if event.name != "content_block_delta"]
    assert names == [
        "message_start",
        *["content_block_start", "content_block_stop"] * 3,
        "message_delta",
        "message_stop",
    ]
    blocks = block_texts(found)
    assert [kind for kind, _ in blocks.values()] == ["thinking", "text", "tool_use"]
    assert json.loads(blocks[2][1]) == {"city": "Paris"}
    assert found[0].data["message"]["model"] == "claude-sonnet-4-6"
    assert found[-2].data["delta"]["stop_reason"] == "tool_use"
    assert found[-2].data["copilot_usage"]["total_nano_aiu"] > 0


def test_the_first_argument_delta_is_empty(asker: Asker) -> None:
    found = events(asker.message("weather in Paris?", stream=True, tools=[MESSAGES_WEATHER]))
    pieces = [event.data["delta"]["partial_json"] for event in found if "partial_json" in str(event.data)]
    assert pieces[0] == ""
    assert len(pieces) > 2


@pytest.mark.parametrize(("backend", "infix"), [("bdrk", "bdrk_"), ("vrtx", "vrtx_"), ("plain", "")])
def test_ids_name_the_cloud_and_only_bedrock_measures(asker: Asker, backend: str, infix: str) -> None:
    question = "weather in Paris?" + sim_words(backend=backend)
    found = events(asker.message(question, stream=True, tools=[MESSAGES_WEATHER]))
    assert re.fullmatch(rf"msg_{infix}01\w{{22}}", found[0].data["message"]["id"])
    [call] = [event.data["content_block"] for event in found if "tool_use" in str(event.data.get("content_block"))]
    assert re.fullmatch(rf"toolu_{infix}01\w{{22}}", call["id"])
    assert ("amazon-bedrock-invocationMetrics" in found[-1].data) == (backend == "bdrk")


def test_all_three_clouds_serve_without_being_asked(asker: Asker) -> None:
    ids = [asker.message("hello").json()["id"] for _ in range(24)]
    assert {found[1] for found in (re.match(r"msg_(bdrk|vrtx)?", name) for name in ids) if found} == {
        "bdrk",
        "vrtx",
        None,
    }


def test_a_tool_round_trip_quotes_the_result(asker: Asker) -> None:
    first = asker.message("weather in Paris?", tools=[MESSAGES_WEATHER], thinking=THINKING).json()
    assert [block["type"] for block in first["content"]] == ["thinking", "text", "tool_use"]
    result = {"type": "tool_result", "tool_use_id": first["content"][-1]["id"], "content": "sunny, 21 degrees"}
    messages = [
        user("weather in Paris?"),
        {"role": "assistant", "content": first["content"]},
        {"role": "user", "content": [result]},
    ]
    body = {
        "model": "claude-sonnet-4.6",
        "max_tokens": 4000,
        "messages": messages,
        "tools": [MESSAGES_WEATHER],
        "thinking": THINKING,
    }
    second = asker.post("/v1/messages", body).json()
    assert "sunny, 21 degrees" in second["content"][-1]["text"]
    assert second["stop_reason"] == "end_turn"


def test_newer_models_keep_their_thoughts_to_themselves(asker: Asker) -> None:
    silent = asker.message("hello", "claude-sonnet-5", thinking={"type": "adaptive"}).json()["content"][0]
    told = asker.message("hello", "claude-sonnet-5", thinking={"type": "adaptive", "display": "summarized"}).json()[
        "content"
    ][0]
    assert (silent["type"], silent["thinking"]) == ("thinking", "")
    assert silent["signature"]
    assert told["thinking"]


def test_some_models_think_unasked(asker: Asker) -> None:
    assert asker.message("hello", "claude-opus-5.5").json()["content"][0]["type"] == "thinking"
    assert asker.message("hello", "claude-sonnet-5").json()["content"][0]["type"] == "text"


def test_thinking_can_be_redacted(asker: Asker) -> None:
    question = "hello" + sim_words(reasoning="redacted")
    found = events(asker.message(question, stream=True, thinking=THINKING))
    assert found[1].data["content_block"]["type"] == "redacted_thinking"
    assert found[1].data["content_block"]["data"]


def test_a_marked_prefix_is_written_once_and_read_afterwards(asker: Asker) -> None:
    system = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    first, second = (asker.message("hello", system=system).json()["usage"] for _ in range(2))
    assert first["cache_creation_input_tokens"] == second["cache_read_input_tokens"] > 1024
    assert first["cache_read_input_tokens"] == second["cache_creation_input_tokens"] == 0
    assert first["input_tokens"] == second["input_tokens"] < 20
    unmarked = asker.message("hello", system=LONG).json()["usage"]
    assert unmarked["cache_read_input_tokens"] == 0


def test_caches_of_accounts_are_apart(sim: SimulatorServer, client: httpx.Client) -> None:
    system = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    Asker(sim, client).message("hello", system=system)
    other = Asker(sim, client, "business").message("hello", system=system).json()["usage"]
    assert other["cache_read_input_tokens"] == 0


def test_structured_output_follows_its_schema(asker: Asker) -> None:
    schema = {
        "type": "object",
        "properties": {"title": {"type": "string"}},
        "required": ["title"],
        "additionalProperties": False,
    }
    body = asker.message("Ships of Venice", output_config={"format": {"type": "json_schema", "schema": schema}}).json()
    assert json.loads(body["content"][0]["text"]) == {"title": "Ships Venice"}


def test_an_image_in_a_tool_result_is_seen(asker: Asker) -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    body = asker.post(
        "/v1/messages",
        {
            "model": "claude-sonnet-4.6",
            "max_tokens": 500,
            "messages": [{"role": "user", "content": [image, {"type": "text", "text": "What?"}]}],
        },
    ).json()
    assert "image/png, 3x2 pixels" in body["content"][0]["text"]


def test_counting_agrees_with_what_is_billed(asker: Asker) -> None:
    body: dict[str, Any] = {
        "model": "claude-sonnet-4.6",
        "messages": [user("How many tokens is this?")],
        "tools": [MESSAGES_WEATHER],
    }
    counted = asker.post("/v1/messages/count_tokens", body).json()
    usage = asker.post("/v1/messages", {**body, "max_tokens": 100}).json()["usage"]
    assert counted == {"input_tokens": usage["input_tokens"]}


def test_a_limit_and_a_stop_sequence_give_their_reasons(asker: Asker) -> None:
    cut = asker.message("tell me about tea", max_tokens=3).json()
    assert cut["stop_reason"] == "max_tokens"
    stopped = asker.message("hi" + sim_words(text="one two three"), stop_sequences=["two"]).json()
    assert (stopped["stop_reason"], stopped["stop_sequence"]) == ("stop_sequence", "two")


def test_a_refusal_is_a_stop_reason_with_details(asker: Asker) -> None:
    body = asker.message("tell me about tea" + sim_words(content_filter=True)).json()
    assert body["stop_reason"] == "refusal"
    assert body["stop_details"]["type"] == "refusal"


def test_annotations_pings_and_done_come_when_asked(asker: Asker) -> None:
    question = "hello" + sim_words(annotations=True, keepalive=True, done=True)
    found = events(asker.message(question, stream=True))
    assert sum("copilot_annotations" in (event.data or {}) for event in found) == 1
    assert any(event.name == "ping" for event in found)
    assert found[-1].data is None


def test_the_bench_shape_works_on_messages(asker: Asker) -> None:
    response = asker.message("@@n=7,d=0,s=300@@ go", stream=True)
    assert len(re.findall(r"@T\d{18}@", response.text)) == 7
    usage = events(response)[-2].data["usage"]
    assert usage["output_tokens"] == -(-len(block_texts(events(response))[0][1]) // 4)


def test_context_edits_are_reported(asker: Asker) -> None:
    edits = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
    body = {"model": "claude-sonnet-4.6", "max_tokens": 50, "messages": [user("hello")], "context_management": edits}
    answer = asker.post("/v1/messages", body, anthropic_beta="context-management-2025-06-27")
    assert answer.json()["context_management"] == {"applied_edits": []}

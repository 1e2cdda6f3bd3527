"""What /responses refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator_tests.asking import RESPONSES_WEATHER, Asker

if TYPE_CHECKING:
    import httpx

    from tests.simulator.server import SimulatorServer

HELLO = {"role": "user", "content": "hello"}
CALL = {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": "{}"}
REASONING = {"type": "reasoning", "summary": []}
OPEN_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
CIPHER: dict[str, Any] = {"include": ["reasoning.encrypted_content"]}


@pytest.fixture
def asker(sim: SimulatorServer, client: httpx.Client) -> Asker:
    return Asker(sim, client)


def described(description: str) -> dict[str, Any]:
    return {**RESPONSES_WEATHER, "description": description}


def nested_tools() -> dict[str, Any]:
    space = {"type": "namespace", "name": "functions", "tools": [RESPONSES_WEATHER, described("")]}
    return {"type": "additional_tools", "role": "developer", "tools": [space]}


@pytest.mark.parametrize(
    ("extra", "code", "words"),
    [
        ({"store": True}, "unsupported_value", "store is not supported"),
        ({"service_tier": "auto"}, "unsupported_value", "service_tier is not supported"),
        ({"include": ["usage"]}, "invalid_value", "'usage'"),
        ({"temperature": 0.2}, "unsupported_parameter", "'temperature' is not supported with this model"),
        ({"previous_response_id": "resp_1"}, "previous_response_not_found", "'resp_1' not found"),
        ({"messages": []}, "unknown_parameter", "Unknown parameter: 'messages'."),
        ({"max_output_tokens": 15}, "integer_below_min_value", ">= 16"),
        ({"prompt_cache_key": "k" * 65}, "string_above_max_length", "maximum length 64"),
        ({"reasoning": {"effort": "minimal"}}, "invalid_reasoning_effort", "[none low medium high xhigh]"),
        ({"tools": [{"type": "image_generation"}]}, "unsupported_value", "image_generation"),
        ({"tools": [described("")]}, "invalid_request_body", "[StringParam] [tools[0].description] [empty_string]"),
        (
            {"input": [nested_tools(), HELLO]},
            "invalid_request_body",
            "[input[0].tools[0].tools[1].description] [empty_string]",
        ),
        ({"tools": [{**RESPONSES_WEATHER, "name": "tool_search"}]}, "invalid_request_body", "reserved"),
        ({"tools": [{**RESPONSES_WEATHER, "name": ""}]}, "invalid_request_body", "does not match pattern"),
        (
            {"tools": [{**RESPONSES_WEATHER, "strict": True}]},
            "invalid_json_schema",
            "'additionalProperties' is required",
        ),
        (
            {"text": {"format": {"type": "json_schema", "name": "x", "schema": OPEN_SCHEMA, "strict": True}}},
            "invalid_json_schema",
            "Invalid schema for response_format 'x'",
        ),
        (
            {"text": {"format": {"type": "json_schema", "schema": {}}}},
            "missing_required_parameter",
            "'text.format.name'",
        ),
        ({"input": []}, "missing_required_parameter", "'input'"),
        (
            {"input": [{**HELLO, "x_passthrough": 1}]},
            "unknown_parameter",
            "Unknown parameter: 'input[0].x_passthrough'.",
        ),
        (
            {"input": [{"type": "message", "role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]},
            "invalid_value",
            "'output_text'",
        ),
        ({"input": [HELLO, CALL]}, "invalid_request_body", "No tool output found for function call call_1."),
        (
            {"input": [HELLO, {"type": "function_call_output", "call_id": "call_9", "output": ""}]},
            "invalid_request_body",
            "No tool call found for function call output with call_id call_9.",
        ),
        ({"input": [HELLO, {**REASONING, "id": "mine"}]}, "invalid_value", "Expected an ID that begins with 'rs'."),
        (
            {"input": [HELLO, {**REASONING, "id": "rs_1"}]},
            "invalid_request_body",
            "Items are not persisted when `store` is set",
        ),
        (
            {"input": [HELLO, {**REASONING, "encrypted_content": "gAAAAAforeign"}]},
            "invalid_request_body",
            "could not be decrypted or parsed",
        ),
    ],
)
def test_responses_refuse(asker: Asker, extra: dict[str, Any], code: str, words: str) -> None:
    response = asker.respond(
        **{
            "question": extra.get("input", "hello"),
            "model": "gpt-5.4",
            **{k: v for k, v in extra.items() if k != "input"},
        }
    )
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert error["code"] == code
    assert words in error["message"]


def test_a_reference_to_a_stored_item_is_not_found(asker: Asker) -> None:
    response = asker.respond([HELLO, {"type": "item_reference", "id": "rs_1"}])
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


def test_plain_dialects_refuse_the_lite_fields(asker: Asker) -> None:
    context = asker.respond("hello", "mai-code-1.1-flash", reasoning={"context": "all_turns"})
    assert (context.status_code, context.headers["content-type"].partition(";")[0]) == (503, "text/plain")
    metadata = asker.respond("hello", "mai-code-1.1-flash", client_metadata={"session_id": "x"})
    assert metadata.json()["error"]["message"] == "Unknown parameter: 'client_metadata'."
    search = asker.respond("hello", "mai-code-1.1-flash", tools=[{"type": "web_search"}])
    assert search.json()["error"]["message"] == "The use of the web search tool is not supported."


def test_messages_may_carry_any_message_id(asker: Asker) -> None:
    said = {"type": "message", "role": "assistant", "id": "msg_123", "content": [{"type": "output_text", "text": "Hi"}]}
    assert asker.respond([HELLO, said, {"role": "user", "content": "go on"}]).status_code == 200


def test_a_ciphertext_belongs_to_its_item_id(asker: Asker) -> None:
    item = asker.respond("hello", **CIPHER).json()["output"][0]
    go_on = {"role": "user", "content": "go on"}
    assert asker.respond([HELLO, item, go_on]).status_code == 200
    bare = {name: value for name, value in item.items() if name != "id"}
    assert asker.respond([HELLO, bare, go_on]).status_code == 200
    for wrong in ("rs_123", asker.respond("other", **CIPHER).json()["output"][0]["id"]):
        message = asker.respond([HELLO, {**item, "id": wrong}, go_on]).json()["error"]["message"]
        assert message.startswith(f"The encrypted content for item {wrong} could not be verified.")
        assert message.endswith("Encrypted content item_id did not match the target item id.")


def test_nothing_sealed_survives_a_change_of_account(sim: SimulatorServer, client: httpx.Client) -> None:
    item = Asker(sim, client).respond("hello", **CIPHER).json()["output"][0]
    other = Asker(sim, client, "business")
    with_id = other.respond([HELLO, item]).json()["error"]["message"]
    assert with_id == "input item ID does not belong to this connection"
    bare = {name: value for name, value in item.items() if name != "id"}
    message = other.respond([HELLO, bare]).json()["error"]["message"]
    assert (
        message
        == "The encrypted content could not be verified. Reason: Encrypted content could not be decrypted or parsed."
    )

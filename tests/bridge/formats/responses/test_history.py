"""The items of a request on the verbatim road."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from bridge.carrier import PREFIX
from bridge.errors import BadRequest
from bridge.formats.responses.history import History
from bridge.target import Target, WireProfile

TARGET = Target(model="gpt-5.9")
FOREIGN = Target(model="grok-4.7", profile=WireProfile.FOREIGN)
USER = {"role": "user", "content": "Hi"}


def sent(*items: dict[str, Any], target: Target = TARGET) -> tuple[list[Any], list[str]]:
    history = History([Raw(json.dumps(item).encode()) for item in items], target)
    return [json.loads(bytes(item)) for item in history.items], history.dropped


def test_no_item_goes_upstream_with_an_id() -> None:
    items: list[dict[str, Any]] = [
        {"type": "message", "id": "msg_6f", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "read", "arguments": "{}"},
        {"type": "function_call_output", "id": "fco_1", "call_id": "call_1", "output": "text"},
        {"type": "custom_tool_call", "id": "at_1", "call_id": "call_2", "name": "patch", "input": "x"},
        {"type": "custom_tool_call_output", "id": "ctco_1", "call_id": "call_2", "output": [{"type": "input_text"}]},
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
        {"type": "of_tomorrow", "id": "x_1", "anything": 1},
    ]
    out, dropped = sent(*items)
    assert out == [{name: value for name, value in item.items() if name != "id"} for item in items]
    assert dropped == []


def test_an_item_without_fault_stays_the_bytes_it_was() -> None:
    text = b'{"type":"message",   "role":"user","content":"\\u00fc"}'
    assert [bytes(item) for item in History([Raw(text)], TARGET).items] == [text]


def test_notes_of_a_client_program_stay_behind() -> None:
    noted = {**USER, "type": "message", "status": "completed", "internal_chat_message_metadata_passthrough": {"a": 1}}
    assert sent(noted)[0] == [{**USER, "type": "message"}]


def test_an_output_that_names_its_call_by_its_id_keeps_it() -> None:
    output = {"type": "local_shell_call_output", "id": "call_1", "output": "{}"}
    assert sent(USER, output)[0][1] == output


def test_reasoning_goes_only_with_ciphertext_of_the_upstream() -> None:
    out, dropped = sent(
        USER,
        {"type": "reasoning", "id": "rs_1", "summary": [], "content": None, "encrypted_content": "gAAAA"},
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": f"{PREFIX}abc"},
        {"type": "reasoning", "id": "rs_3", "summary": []},
        {"type": "reasoning", "id": "rs_4", "summary": [], "encrypted_content": None},
        {"type": "reasoning", "id": "rs_5", "summary": [], "encrypted_content": ""},
    )
    assert out == [USER, {"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"}]
    assert dropped == []


def test_items_of_what_copilot_does_not_have_are_left_out_by_name() -> None:
    out, dropped = sent(USER, {"type": "item_reference", "id": "rs_1"}, {"type": "mcp_call", "id": "mcp_1"})
    assert (out, dropped) == ([USER], ["item_reference", "mcp_call"])


def test_only_the_newest_compaction_and_what_follows_it_is_sent() -> None:
    system = {"type": "message", "role": "developer", "content": "Be brief."}
    tools = {"type": "additional_tools", "role": "developer", "tools": []}
    later = {"type": "message", "role": "user", "content": "And now?"}
    first, second = ({"type": "compaction", "encrypted_content": f"gAAAA{number}"} for number in (1, 2))
    foreign = {"type": "compaction", "encrypted_content": f"{PREFIX}abc"}
    out, _ = sent(tools, system, USER, first, USER, {**second, "id": "cmp_2"}, later)
    assert out == [tools, system, second, later]
    assert sent(system, USER, foreign, later)[0] == [system, USER, later]


def test_a_phase_is_not_for_foreign_models() -> None:
    said = {"type": "message", "role": "assistant", "phase": "commentary", "content": "Hm."}
    assert sent(said)[0] == [said]
    assert "phase" not in sent(said, target=FOREIGN)[0][0]


def test_a_long_call_id_is_shortened_in_the_call_and_in_its_output() -> None:
    call = {"type": "function_call", "call_id": "toolu_" + "x" * 90, "name": "read", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": ""}
    (short, answer), _ = sent(call, output)
    assert short["call_id"] == answer["call_id"]
    assert len(short["call_id"]) <= 64
    fits = {**call, "call_id": "c" * 64}
    assert sent(fits)[0] == [fits]


def test_a_call_bears_the_name_that_its_tool_has_upstream() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "a.b", "namespace": "collaboration", "arguments": "{}"}
    (out,), _ = sent(call)
    assert "." not in out["name"]
    assert out["namespace"] == "collaboration"


def test_images_in_an_output_stay_there() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}
    output = {"type": "function_call_output", "call_id": "c", "output": [image]}
    assert sent(output)[0] == [output]


def test_an_item_that_cannot_be_read_is_refused_with_its_place() -> None:
    with pytest.raises(BadRequest) as caught:
        sent(USER, {"type": 7})
    assert caught.value.param == "input[1]"

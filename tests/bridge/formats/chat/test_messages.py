"""Edits inside messages, and messages that need none."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from bridge.carrier import PREFIX
from bridge.formats.chat.messages import edit_message, hoist_tool_images
from bridge.target import Target

CLAUDE = Target("claude-sonnet-5", vendor="Anthropic", family="claude-sonnet-5")
GPT = Target("gpt-4o", vendor="Azure OpenAI", family="gpt-4o")
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def edited(message: dict[str, Any], target: Target = CLAUDE) -> object:
    """The message after the edit; None when it was handed back untouched."""
    raw = msgspec.Raw(json.dumps(message).encode())
    after = edit_message(raw, target)
    return None if after is raw else after


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": 'I said "developer" and "reasoning_content" and ""'},
        {"role": "user", "content": ""},
        {"role": "assistant", "content": "", "tool_calls": []},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "system", "content": "x"},
        {"role": "tool", "tool_call_id": "a", "content": ""},
    ],
)
def test_a_message_that_needs_no_edit_stays_the_very_bytes(message: dict[str, Any]) -> None:
    assert edited(message) is None


def test_only_openais_own_models_know_developers() -> None:
    message = {"role": "developer", "content": "Be brief.", "name": "x"}
    assert edited(message) == {"role": "system", "content": "Be brief.", "name": "x"}
    assert edited(message, GPT) is None
    assert edited(message, Target("gpt-5", vendor="OpenAI")) is None


def test_reasoning_goes_back_under_the_upstreams_name() -> None:
    message = {"role": "assistant", "content": "42", "reasoning_content": "Hm.", "reasoning_opaque": "seal"}
    wanted = {"role": "assistant", "content": "42", "reasoning_opaque": "seal", "reasoning_text": "Hm."}
    assert edited(message) == wanted
    assert edited({**message, "reasoning_text": "Own."}) == {**wanted, "reasoning_text": "Own."}
    assert edited({"role": "assistant", "content": "42", "reasoning_content": ""}) == {
        "role": "assistant",
        "content": "42",
    }


def test_beside_calls_an_empty_text_is_null() -> None:
    calls = [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    message = {"role": "assistant", "content": "", "tool_calls": calls}
    assert edited(message) == {"role": "assistant", "content": None, "tool_calls": calls}
    parts = [{"type": "text", "text": ""}, {"type": "text", "text": "x"}]
    assert edited({**message, "content": parts}) == {**message, "content": parts[1:]}
    assert edited({**message, "content": parts[:1]}) == {**message, "content": None}


def test_images_of_tools_follow_behind_the_run_of_results() -> None:
    results: list[Any] = [
        {"role": "assistant", "tool_calls": []},
        {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "shot"}, IMAGE]},
        {"role": "tool", "tool_call_id": "b", "content": [IMAGE]},
        {"role": "tool", "tool_call_id": "c", "content": "text"},
        {"role": "user", "content": "What is on it?"},
    ]
    raws = [msgspec.Raw(json.dumps(message).encode()) for message in results]
    out = hoist_tool_images(raws)
    assert out[0] is raws[0]
    assert out[1]["content"] == [{"type": "text", "text": "shot"}]
    assert out[2]["content"] == "The result is the image in the next message."
    assert out[3] is raws[3]
    assert out[4]["role"] == "user"
    assert out[4]["content"][1:] == [IMAGE, IMAGE]
    assert out[5] is raws[4]
    assert len(out) == 6


def test_images_of_a_last_result_follow_at_the_end() -> None:
    out = hoist_tool_images([{"role": "tool", "tool_call_id": "a", "content": [IMAGE]}])
    assert [message["role"] for message in out] == ["tool", "user"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("", "{}"), (" ", "{}"), ('{"a": 1', '{"_raw_arguments":"{\\"a\\": 1"}'), ("[1]", '{"_raw_arguments":"[1]"}')],
)
def test_arguments_that_are_no_object_are_wrapped(sent: str, kept: str) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": sent}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    after = edited(message)
    assert isinstance(after, dict)
    assert after["tool_calls"][0]["function"]["arguments"] == kept
    assert edited(message, GPT) is None, "OpenAI's own models take any text"


@pytest.mark.parametrize("name", ["reasoning_opaque", "reasoning_content"])
def test_seals_of_other_formats_that_a_client_carried_go_no_further(name: str) -> None:
    message = {"role": "assistant", "content": "x", "reasoning_text": "Hm.", name: f"{PREFIX}AAAA"}
    assert edited(message) == {"role": "assistant", "content": "x"}
    assert edited({"role": "user", "content": f'"{PREFIX}AAAA'}) is None

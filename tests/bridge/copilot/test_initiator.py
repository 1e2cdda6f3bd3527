"""Who asks, and whether there is an image in it."""

from __future__ import annotations

import pytest

from bridge.copilot.initiator import (
    Initiator,
    has_image,
    initiator_of_chat,
    initiator_of_messages,
    initiator_of_responses,
)

USER, AGENT = Initiator.USER, Initiator.AGENT
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": "ok"}
REMINDER = {"type": "text", "text": "\n<system-reminder>Be brief.</system-reminder>\n"}


def said(role: str, content: object = "x") -> dict[str, object]:
    return {"role": role, "content": content}


@pytest.mark.parametrize(
    ("messages", "initiator"),
    [
        ([said("user")], USER),
        ([said("system"), said("user"), said("assistant"), said("user")], USER),
        ([said("user"), said("assistant"), said("tool")], AGENT),
        ([said("user"), said("assistant")], AGENT),
        ([said("user"), said("function")], AGENT),
        ([said("user"), said("developer")], USER),
        ([said("user"), said("tool"), said("system")], AGENT),
        ([said("system")], USER),
        ([], USER),
        (None, USER),
    ],
)
def test_the_last_chat_message_decides(messages: object, initiator: Initiator) -> None:
    assert initiator_of_chat(messages) is initiator


@pytest.mark.parametrize(
    ("request_input", "initiator"),
    [
        ("hello", USER),
        ([said("user")], USER),
        ([{"type": "message"} | said("user")], USER),
        ([said("user"), {"type": "function_call"}, {"type": "function_call_output", "output": "x"}], AGENT),
        ([said("user"), {"type": "reasoning"}], AGENT),
        ([said("user"), {"type": "compaction_trigger"}], AGENT),
        ([{"type": "additional_tools", "role": "developer"}, said("user")], USER),
        ([said("user"), said("assistant")], AGENT),
    ],
)
def test_the_last_item_decides(request_input: object, initiator: Initiator) -> None:
    assert initiator_of_responses(request_input) is initiator


@pytest.mark.parametrize(
    ("messages", "initiator"),
    [
        ([said("user")], USER),
        ([said("user", [{"type": "text", "text": "hi"}])], USER),
        ([said("assistant"), said("user", [RESULT])], AGENT),
        ([said("assistant"), said("user", [RESULT, RESULT])], AGENT),
        ([said("assistant"), said("user", [RESULT, {"type": "text", "text": "and now?"}])], USER),
        ([said("assistant"), said("user", [RESULT, REMINDER])], AGENT),
        ([said("user", [REMINDER])], USER),
        ([said("user", [])], USER),
        ([said("user"), said("assistant")], AGENT),
        ([said("user", [RESULT]), said("system")], AGENT),
        ([], USER),
    ],
)
def test_tool_results_alone_are_the_agents(messages: object, initiator: Initiator) -> None:
    assert initiator_of_messages(messages) is initiator


SOURCE = {"type": "base64", "media_type": "image/png", "data": "iVBO"}


@pytest.mark.parametrize(
    "messages",
    [
        [said("user", [{"type": "image_url", "image_url": {"url": "data:"}}])],
        [said("user", [{"type": "input_image", "image_url": "data:"}])],
        [{"type": "function_call_output", "output": [{"type": "input_image", "file_id": "f"}]}],
        [said("user", [{"type": "image", "source": SOURCE}])],
        [said("user", [RESULT | {"content": [{"type": "text", "text": "a"}, {"type": "image", "source": SOURCE}]}])],
        [{"type": "computer_call_output", "output": {"type": "computer_screenshot", "image_url": "data:"}}],
    ],
)
def test_an_image_is_found_at_any_depth(messages: object) -> None:
    assert has_image(messages)


@pytest.mark.parametrize(
    "messages",
    [
        "image",
        None,
        [said("user", "look at image_url")],
        [said("user", [{"type": "image", "text": "no source"}])],
        [said("assistant", [{"type": "tool_use", "input": {"type": "image", "source": {}}}])],
        [said("user", [{"type": "document", "source": SOURCE}])],
    ],
)
def test_what_only_speaks_of_images_is_none(messages: object) -> None:
    assert not has_image(messages)


def test_depth_is_no_danger() -> None:
    value: object = {"type": "image", "source": SOURCE}
    for _ in range(100_000):
        value = [value]
    found = has_image(value)
    while isinstance(value, list):  # unwound by hand: a deep list is freed recursively
        value = value[0]
    assert found

"""A caller's body as a Prompt: each field, each kind of message, and what is refused or named."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from bridge.formats.chat import read_request
from bridge.formats.chat.verbatim import open_request
from bridge.parts import (
    Cache,
    Call,
    CallKind,
    Document,
    Image,
    Part,
    Reasoning,
    Refusal,
    Result,
    Seal,
    SealKind,
    Text,
)
from bridge.prompt import (
    Prompt,
    Role,
    Tool,
    Turn,
)
from tests.bridge.formats.chat.test_request import HELLO, a_body

PNG = "data:image/png;base64,AAAA"


def prompt(**fields: Any) -> Prompt:
    return read_request(open_request(a_body(**fields)))


def turns(*messages: dict[str, Any]) -> tuple[Turn, ...]:
    return prompt(messages=list(messages)).turns


def parts(message: dict[str, Any]) -> tuple[Part, ...]:
    (turn,) = turns(message)
    return turn.parts


def user(*content: Any) -> tuple[Part, ...]:
    return parts({"role": "user", "content": list(content)})


# --- messages ------------------------------------------------------------------------------------------------


def test_instructions_at_the_head_are_the_system_and_later_ones_turns() -> None:
    read = prompt(
        messages=[
            {"role": "system", "content": "One."},
            {"role": "developer", "content": [{"type": "text", "text": "Two."}]},
            *HELLO,
            {"role": "system", "content": "Three."},
        ]
    )
    assert read.system == (Text("One."), Text("Two."))
    assert read.turns == (Turn(Role.USER, (Text("Hello"),)), Turn(Role.SYSTEM, (Text("Three."),)))


def test_a_user_says_text_and_shows_images() -> None:
    image = {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}}
    far = {"type": "image_url", "image_url": "https://images.example/a.png"}
    assert user("plain", {"type": "text", "text": "x"}, {"type": "text", "text": ""}, image, far) == (
        Text("plain"),
        Text("x"),
        Image(media_type="image/png", data="AAAA", detail="low"),
        Image(url="https://images.example/a.png"),
    )


@pytest.mark.parametrize(
    ("url", "image"),
    [
        ("DATA:Image/PNG;charset=x;BASE64,AA", Image(media_type="image/png", data="AA")),
        ("data:image/svg+xml,<svg/>", Image(url="data:image/svg+xml,<svg/>")),
    ],
)
def test_data_urls_are_taken_apart_where_they_hold_base64(url: str, image: Image) -> None:
    assert user({"type": "image_url", "image_url": {"url": url}}) == (image,)


@pytest.mark.parametrize(
    ("file", "part"),
    [
        (
            {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"},
            Document(media_type="application/pdf", data="AAAA", title="a.pdf"),
        ),
        ({"file_data": "AAAA"}, Document(media_type="application/pdf", data="AAAA")),
        ({"file_id": "file-1", "filename": "a.pdf"}, Document(file_id="file-1", title="a.pdf")),
        (
            {"file_data": "data:text/plain;base64," + base64.b64encode("Grüß".encode()).decode(), "filename": "a.txt"},
            Document(media_type="text/plain", text="Grüß", title="a.txt"),
        ),
        ({"file_data": "data:text/plain;base64,%%"}, Document(media_type="text/plain", data="%%")),
        ({"file_data": PNG}, Image(media_type="image/png", data="AAAA")),
        ({}, Document()),
    ],
)
def test_files_are_documents_or_what_their_type_says(file: dict[str, str], part: Part) -> None:
    assert user({"type": "file", "file": file}) == (part,)


def test_kinds_of_parts_unknown_here_are_named() -> None:
    audio = {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}
    read = prompt(messages=[{"role": "user", "content": [audio, {"type": "text", "text": "x"}, audio]}])
    assert (read.turns[0].parts, read.dropped) == ((Text("x"),), ("input_audio",))


def test_an_assistant_thinks_says_refuses_and_calls() -> None:
    message = {
        "role": "assistant",
        "content": [{"type": "text", "text": "x"}, {"type": "refusal", "refusal": "no"}],
        "refusal": "never",
        "reasoning_content": "Hm.",
        "reasoning_opaque": "s",
        "annotations": [],
        "audio": None,
        "function_call": None,
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
            {"id": "b", "type": "custom", "custom": {"name": "p", "input": "***"}},
            {"id": "c", "function": {"name": "g", "arguments": {"y": 2}}},
            {"id": "d", "function": {"name": "h"}},
        ],
    }
    assert parts(message) == (
        Reasoning(("Hm.",), Seal(SealKind.OPAQUE, "s")),
        Text("x"),
        Refusal("no"),
        Refusal("never"),
        Call("a", "f", '{"x":1}'),
        Call("b", "p", "***", CallKind.CUSTOM),
        Call("c", "g", '{"y":2}'),
        Call("d", "h", ""),
    )


@pytest.mark.parametrize(
    ("fields", "thought"),
    [
        ({"reasoning_text": "own", "reasoning_content": "other"}, Reasoning(("own",))),
        ({"reasoning_opaque": "s"}, Reasoning((), Seal(SealKind.OPAQUE, "s"))),
        ({"reasoning_content": "Hm.", "reasoning_opaque": ""}, Reasoning(("Hm.",))),
    ],
)
def test_reasoning_may_be_without_a_seal_and_a_seal_without_words(fields: dict[str, str], thought: Reasoning) -> None:
    assert parts({"role": "assistant", "content": "x", **fields}) == (thought, Text("x"))


def test_the_results_of_tools_in_a_row_share_a_turn_of_the_user() -> None:
    call = {"id": "b", "type": "custom", "custom": {"name": "p", "input": "***"}}
    read = turns(
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "one"},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "two"}]},
        *HELLO,
        {"role": "tool", "tool_call_id": "c", "content": ""},
    )
    assert read[1:] == (
        Turn(Role.USER, (Result("a", (Text("one"),)), Result("b", (Text("two"),), kind=CallKind.CUSTOM))),
        Turn(Role.USER, (Text("Hello"),)),
        Turn(Role.USER, (Result("c"),)),
    )


def test_images_in_results_stay_there() -> None:
    content = [{"type": "image_url", "image_url": {"url": PNG}}]
    assert parts({"role": "tool", "tool_call_id": "a", "content": content}) == (
        Result("a", (Image(media_type="image/png", data="AAAA"),)),
    )


def test_the_calls_of_the_older_format_meet_their_results() -> None:
    read = turns(
        *HELLO,
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "42"},
    )
    (call,), (result,) = read[1].parts, read[2].parts
    assert isinstance(call, Call)
    assert isinstance(result, Result)
    assert (call.name, call.id, result.parts) == ("f", result.call_id, (Text("42"),))


def test_breakpoints_of_the_prompt_cache_are_read_wherever_clients_put_them() -> None:
    hint = {"type": "ephemeral"}
    read = prompt(
        messages=[
            {"role": "system", "content": "x", "copilot_cache_control": hint},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "a", "cache_control": {**hint, "ttl": "1h"}},
                    {"type": "text", "text": "b"},
                ],
                "cache_control": {**hint, "ttl": "5m"},
            },
            {"role": "tool", "tool_call_id": "a", "content": "r", "cache_control": hint},
        ],
        tools=[{"type": "function", "function": {"name": "f"}, "cache_control": hint}],
    )
    assert read.system == (Text("x", cache=Cache.USUAL),)
    assert read.turns[0].parts == (Text("a", cache=Cache.ONE_HOUR), Text("b", cache=Cache.FIVE_MINUTES))
    assert read.turns[1].parts == (Result("a", (Text("r"),), cache=Cache.USUAL),)
    assert read.tools == (Tool("f", cache=Cache.USUAL),)


def test_messages_of_nothing_are_no_turns() -> None:
    assert turns({"role": "user", "content": ""}, {"role": "assistant", "content": None}, *HELLO) == (
        Turn(Role.USER, (Text("Hello"),)),
    )

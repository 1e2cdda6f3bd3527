"""Seals in the ids of calls: out with the answer, back with the history, and never upstream."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.events import CallHead, PartOpened
from bridge.formats.chat import ReplyReader, read_request, write_request
from bridge.formats.chat.seal_ids import MARK, open_id, seal_id
from bridge.formats.chat.verbatim import Gatherer, StreamTap, edit_request, open_request
from bridge.parts import Call, Reasoning, Result, Seal, SealKind
from bridge.target import Target
from tests.bridge.formats.chat.headings import a_heading
from tests.bridge.formats.chat.recordings import GEMINI_TOOLS, wire
from tests.bridge.formats.chat.validator import validated

GEMINI = Target("gemini-3-pro", vendor="Google", family="gemini-3-pro")
CLAUDE = Target("claude-sonnet-4.5", vendor="Anthropic", family="claude-sonnet-4.5")
PLAIN, CARRYING = "call_abc123", seal_id("call_abc123", "4CUQ6696")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_a_seal_comes_back_as_it_was(seal: str) -> None:
    assert open_id(seal_id("call_1", seal)) == ("call_1", seal)


@pytest.mark.parametrize("broken", ["%", "A", "_w", "\u00e9"])
def test_a_seal_that_was_broken_on_the_way_is_nothing(broken: str) -> None:
    assert open_id(f"call_1{MARK}{broken}") == ("call_1", "")


def test_a_seal_too_long_for_an_id_stays_out_of_it() -> None:
    assert seal_id("call_1", "s" * 20_000) == "call_1"


def test_the_first_call_of_gemini_carries_the_seal_streamed_and_not() -> None:
    tap, gatherer = StreamTap(a_heading()), Gatherer(a_heading(stream=False))
    streamed = validated(tap.feed(wire(GEMINI_TOOLS)) + tap.end(), model="asked", include_usage=True)
    gatherer.feed(wire(GEMINI_TOOLS))
    whole = json.loads(gatherer.end())["choices"][0]["message"]["tool_calls"]
    assert [call["id"] for call in streamed.calls] == [call["id"] for call in whole] == [CARRYING, "call_def456"]


def a_call(call_id: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": "f", "arguments": "{}"}}


def test_a_seal_may_come_before_the_call_and_other_families_keep_their_ids() -> None:
    for model, expected in (("gemini-3-pro", seal_id("a", "s")), ("claude-sonnet-4.5", "a")):
        tap = StreamTap(a_heading())
        deltas: list[dict[str, Any]] = [{"reasoning_opaque": "s"}, {"tool_calls": [a_call("a")]}]
        chunks = [json.dumps({"model": model, "choices": [{"delta": delta}]}) for delta in deltas]
        stream = tap.feed(wire((*chunks, "[DONE]"))) + tap.end()
        assert validated(stream, model="asked", include_usage=True).calls[0]["id"] == expected


def test_calls_of_gemini_wait_for_a_seal_that_comes_behind_them_and_no_longer_than_the_answer() -> None:
    deltas: list[dict[str, Any]] = [{"tool_calls": [a_call("a")]}, {"tool_calls": [a_call("b")]}, {"content": "x"}]
    for last, expected in (({"reasoning_opaque": "s"}, seal_id("a", "s")), ({"content": "y"}, "a")):
        chunks = [json.dumps({"model": "gemini-4", "choices": [{"delta": delta}]}) for delta in (*deltas, last)]
        stream = wire((*chunks, "[DONE]"))
        tap, gatherer = StreamTap(a_heading()), Gatherer(a_heading(stream=False))
        streamed = validated(tap.feed(stream) + tap.end(), model="asked", include_usage=True)
        gatherer.feed(stream)
        whole = json.loads(gatherer.end())["choices"][0]["message"]["tool_calls"]
        assert [call["id"] for call in streamed.calls] == [call["id"] for call in whole] == [expected, "b"]
        assert streamed.finish == "tool_calls"


def test_pieces_of_a_call_behind_the_seal_do_not_wait() -> None:
    tap = StreamTap(a_heading())
    head = {"model": "gemini-4", "choices": [{"delta": {"reasoning_opaque": "s", "tool_calls": [a_call("a")]}}]}
    tap.feed(wire((json.dumps(head),)))
    more = {"model": "gemini-4", "choices": [{"delta": {"tool_calls": [{"function": {"arguments": " "}}]}}]}
    assert b'"arguments":" "' in tap.feed(wire((json.dumps(more),)))


def test_readers_of_other_dialects_see_plain_ids() -> None:
    events = ReplyReader().feed(wire(GEMINI_TOOLS))
    assert PartOpened(CallHead(PLAIN, "read_file")) in events


def history(**members: Any) -> bytes:
    messages = [
        {"role": "user", "content": "Read it."},
        {"role": "assistant", "content": None, "tool_calls": [a_call(CARRYING), a_call("call_def456")], **members},
        {"role": "tool", "tool_call_id": CARRYING, "content": "read"},
        {"role": "tool", "tool_call_id": "call_def456", "content": "read"},
    ]
    return json.dumps({"model": "m", "messages": messages}).encode()


def edited(target: Target, **members: Any) -> list[dict[str, Any]]:
    body = edit_request(open_request(history(**members)), target).body
    assert MARK.encode() not in body
    messages: list[dict[str, Any]] = json.loads(body)["messages"]
    return messages


def test_the_history_goes_up_with_plain_ids_and_the_seal_in_its_place() -> None:
    messages = edited(GEMINI)
    assert [call["id"] for call in messages[1]["tool_calls"]] == [PLAIN, "call_def456"]
    assert [message["tool_call_id"] for message in messages[2:]] == [PLAIN, "call_def456"]
    assert messages[1]["reasoning_opaque"] == "4CUQ6696"


def test_a_client_that_gives_the_seal_back_itself_is_believed() -> None:
    assert edited(GEMINI, reasoning_opaque="own")[1]["reasoning_opaque"] == "own"


def test_another_model_gets_plain_ids_and_no_seal() -> None:
    assert "reasoning_opaque" not in edited(CLAUDE)[1]


def test_the_hub_reads_the_seal_out_of_the_id() -> None:
    prompt = read_request(open_request(history(reasoning_content="Hm.")))
    assert prompt.turns[1].parts == (
        Reasoning(("Hm.",), Seal(SealKind.OPAQUE, "4CUQ6696")),
        Call(PLAIN, "f", "{}"),
        Call("call_def456", "f", "{}"),
    )
    assert [part.call_id for part in prompt.turns[2].parts if isinstance(part, Result)] == [PLAIN, "call_def456"]
    assert MARK.encode() not in write_request(prompt, GEMINI).body

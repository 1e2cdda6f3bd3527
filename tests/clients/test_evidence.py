"""What counts as evidence: thoughts that come back upstream, and a stream that says its text and ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.dialect import Dialect
from tests.clients.evidence import thoughts_replayed
from tests.clients.plain import stream_faults
from tests.clients.program import Model
from tests.clients.report import line_of, table_of
from tests.clients.story import Outcome

SIGNED = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
SEALED = {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}
REPLAYED: list[tuple[Dialect, dict[str, Any]]] = [
    (Dialect.MESSAGES, {"messages": [{"role": "assistant", "content": [SIGNED]}]}),
    (Dialect.MESSAGES, {"messages": [{"role": "assistant", "content": [{"type": "redacted_thinking", "data": "x"}]}]}),
    (Dialect.RESPONSES, {"input": [SEALED]}),
    (Dialect.CHAT, {"messages": [{"role": "assistant", "content": "hi", "reasoning_opaque": "b3Bh"}]}),
]
FORGOTTEN: list[tuple[Dialect, dict[str, Any]]] = [
    (Dialect.MESSAGES, {"messages": [{"role": "assistant", "content": "hi"}]}),
    (Dialect.MESSAGES, {"messages": [{"role": "assistant", "content": [SIGNED | {"signature": ""}]}]}),
    (Dialect.MESSAGES, {"messages": [{"role": "user", "content": [SIGNED]}]}),
    (Dialect.RESPONSES, {"input": "hi"}),
    (Dialect.RESPONSES, {"input": [SEALED | {"encrypted_content": None}]}),
    (Dialect.CHAT, {"messages": [{"role": "assistant", "content": "hi", "reasoning_content": "hm"}]}),
]


@pytest.mark.parametrize(("upstream", "body"), REPLAYED)
def test_sealed_thoughts_in_the_history_are_seen(upstream: Dialect, body: dict[str, Any]) -> None:
    assert thoughts_replayed(upstream, body)


@pytest.mark.parametrize(("upstream", "body"), FORGOTTEN)
def test_thoughts_without_their_seal_do_not_count(upstream: Dialect, body: dict[str, Any]) -> None:
    assert not thoughts_replayed(upstream, body)


def chat_stream(*pieces: str, end: str = "data: [DONE]\n\n") -> str:
    frames = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
    return "".join(f"data: {json.dumps(frame)}\n\n" for frame in frames) + end


def test_a_stream_that_says_its_text_and_ends_has_no_faults() -> None:
    assert list(stream_faults(Dialect.CHAT, chat_stream("one ", "two"), "one two")) == []


def test_a_stream_that_is_cut_short_is_a_fault() -> None:
    (fault,) = stream_faults(Dialect.CHAT, chat_stream("one", end=""), "one")
    assert fault.startswith("the stream ends with")


def test_a_stream_that_says_something_else_is_a_fault() -> None:
    assert list(stream_faults(Dialect.CHAT, chat_stream("one"), "two")) == ["the stream says 'one'"]


def test_an_empty_stream_is_a_fault() -> None:
    assert "the stream ends with nothing" in list(stream_faults(Dialect.MESSAGES, "", "hi"))


def test_the_table_has_a_row_for_each_program_and_model_with_seconds_or_failure() -> None:
    model = Model("claude-sonnet-5", Dialect.MESSAGES)
    outcomes = [Outcome("codex", model, "answer", 1.26, ()), Outcome("codex", model, "file", 2.0, ("no file",))]
    assert table_of(outcomes).splitlines() == [
        "client  model            upstream  answer  file    next turn  silence  late head  curl",
        "codex   claude-sonnet-5  messages  1.3     FAILED  -          -        -          -",
    ]


def test_a_failed_step_says_what_is_wrong() -> None:
    outcome = Outcome("codex", Model("gpt-5.5", Dialect.RESPONSES), "file", 2.0, ("no file",))
    assert line_of(outcome) == "codex gpt-5.5 → responses: file FAILED (2.0 s)\n    no file"

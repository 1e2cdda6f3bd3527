"""Kimi takes call ids that tell a name and a number, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.formats.chat.kimi import rename_calls


def history(*ids: str) -> list[Any]:
    calls = [{"id": one, "type": "function", "function": {"name": "look", "arguments": "{}"}} for one in ids]
    results = [{"role": "tool", "tool_call_id": one, "content": "seen"} for one in ids]
    return [{"role": "user", "content": "Look"}, {"role": "assistant", "tool_calls": calls}, *results]


@pytest.mark.parametrize(("family", "prefix"), [("kimi-k3", ""), ("kimi-k2.7-code", "functions.")])
def test_foreign_ids_are_renamed_in_calls_and_results(family: str, prefix: str) -> None:
    messages = rename_calls(history("call_abc", "toolu_1"), family)
    expected = [f"{prefix}look:0", f"{prefix}look:1"]
    assert [call["id"] for call in messages[1]["tool_calls"]] == expected
    assert [message["tool_call_id"] for message in messages[2:]] == expected


def test_its_own_ids_stay_and_count() -> None:
    messages = rename_calls([*history("look:0"), *history("call_x")], "kimi-k3")
    assert messages[1]["tool_calls"][0]["id"] == "look:0"
    assert messages[4]["tool_calls"][0]["id"] == "look:1"


@pytest.mark.parametrize("odd", [None, "x", {"tool_calls": 3}, {"tool_calls": [None, {"id": 1, "function": {}}]}])
def test_what_is_no_call_is_left_alone(odd: Any) -> None:
    assert rename_calls([odd], "kimi-k3") == [odd]

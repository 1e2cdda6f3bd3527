"""Tool calls of a stream: told apart, numbered, and watched."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.errors import BrokenStream
from bridge.formats.chat.calls import BLANK_LIMIT, CallNumbers


def grown(text: str, call_id: str | None = None) -> dict[str, Any]:
    call: dict[str, Any] = {"function": {"arguments": text}}
    return call if call_id is None else call | {"id": call_id}


def test_a_call_filled_with_blanks_breaks_the_answer() -> None:
    numbers = CallNumbers("x")
    numbers.read(grown('{"a": 1,', "a"))
    for _ in range(BLANK_LIMIT // 64):
        numbers.read(grown(" \n\t " * 16))
    with pytest.raises(BrokenStream, match="blanks"):
        numbers.read(grown(" "))


def test_blanks_between_other_characters_are_no_flood() -> None:
    numbers = CallNumbers("x")
    for _ in range(4):
        numbers.read(grown(" " * (BLANK_LIMIT - 1), "a"))
        assert numbers.read(grown("x"))[1] == 1


def test_custom_calls_have_an_input_for_arguments() -> None:
    numbers = CallNumbers("x")
    head = {"id": "a", "type": "custom", "custom": {"name": "patch", "input": ""}}
    assert numbers.read(head)[0] == {**head, "index": 0}
    assert numbers.read({"index": 5, "custom": {"input": "***"}}) == ({"index": 0, "custom": {"input": "***"}}, 3)
    assert numbers.bare == []


def test_functions_that_no_arguments_came_for_are_known() -> None:
    numbers = CallNumbers("x")
    for call in (grown("", "a"), grown("", "b"), grown("", "b"), grown("{}", "b"), grown("", "c")):
        numbers.read(call)
    assert numbers.bare == [0, 2]

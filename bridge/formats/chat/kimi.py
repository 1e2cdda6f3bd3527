"""Chat Completions, Kimi's call ids: the model's template reads a call's name and number out of its id."""

from __future__ import annotations

import re
from typing import Any

_FITTING = re.compile(r"(?:functions\.)?[\w-]+:\d+")


def rename_calls(messages: list[Any], family: str) -> list[Any]:
    """Quirk kimi-call-ids: ids that other models made become `NAME:i` (K2: `functions.NAME:i`), in calls and results.

    `messages` are parsed; the same list is returned, changed in place.
    """
    prefix = "functions." if family.startswith("kimi-k2") else ""
    renamed: dict[str, str] = {}
    number = 0
    for message in messages:
        if not isinstance(message, dict):
            continue
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, list) else []:
            number = _rename(call, prefix, number, renamed)
        answered = message.get("tool_call_id")
        if isinstance(answered, str) and answered in renamed:
            message["tool_call_id"] = renamed[answered]
    return messages


def _rename(call: object, prefix: str, number: int, renamed: dict[str, str]) -> int:
    function = call.get("function") if isinstance(call, dict) else None
    call_id = call.get("id") if isinstance(call, dict) else None
    if not isinstance(call, dict) or not isinstance(function, dict) or not isinstance(call_id, str):
        return number
    if not _FITTING.fullmatch(call_id):
        call["id"] = renamed[call_id] = f"{prefix}{function.get('name', '')}:{number}"
    return number + 1

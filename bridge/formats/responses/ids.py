"""Ids of a response and its items as clients see them: short, the same in every frame, made from the request's id.

Quirk responses-rotating-ids: the upstream gives an item another id in each frame; only its `output_index` and a
call's `call_id` stay the same, so ids are made here out of the index.
"""

from __future__ import annotations

_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "web_search_call": "ws",
    "compaction": "cmp",
    "tool_search_call": "tsc",
    "tool_search_output": "tso",
    "local_shell_call": "lsh",
    "shell_call": "sh",
    "apply_patch_call": "apc",
    "image_generation_call": "ig",
    "code_interpreter_call": "ci",
    "file_search_call": "fs",
    "mcp_call": "mcp",
    "mcp_list_tools": "mcpl",
    "agent_message": "amsg",
}
# The first words of an event's type (behind `response.`) that tell the type of the item it belongs to.
_EVENTS = (
    ("output_text", "message"),
    ("content_part", "message"),
    ("refusal", "message"),
    ("reasoning", "reasoning"),
    ("function_call", "function_call"),
    ("custom_tool_call", "custom_tool_call"),
    ("web_search_call", "web_search_call"),
)


def response_id(request_id: str) -> str:
    return f"resp_{request_id}"


def item_id(kind: str, request_id: str, output_index: int) -> str:
    """The id of the item of type `kind` at `output_index`."""
    return f"{_PREFIXES.get(kind, 'item')}_{request_id}_{output_index}"


def item_type_of_event(event_type: str) -> str:
    """The type of the item that an event speaks of, when the item itself was never shown; empty: not to be told."""
    name = event_type.removeprefix("response.")
    return next((kind for start, kind in _EVENTS if name.startswith(start)), "")

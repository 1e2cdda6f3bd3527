"""Messages, a block that says something in its start already, told as clients expect it: empty first, then by deltas.

Quirk messages-given-input: clients read a block's content from deltas alone.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bridge.errors import BrokenStream

Block = dict[str, Any]
Delta = dict[str, Any]


def called_name(block: Block) -> str:
    """The tool that a block calls. Raises BrokenStream when it names none: no client could run it or go on."""
    name = block.get("name")
    if isinstance(name, str) and name:
        return name
    raise BrokenStream("The upstream called a tool without naming it. Send the request again.")


def split_start(block: Block) -> tuple[Block, list[Delta], list[Delta]]:
    """The empty block, the deltas to follow at once, and those that wait for the block's end.

    What waits is left out when the block says it by a delta of that type itself.
    """
    match block.get("type"):
        case "text":
            cited = block.get("citations")
            listed = cited if isinstance(cited, list) else []
            citations: list[Delta] = [{"type": "citations_delta", "citation": each} for each in listed]
            bare = {**block, "text": ""} | ({"citations": []} if citations else {})
            return bare, [*_said(block, "text", "text_delta"), *citations], []
        case "thinking":
            bare = {**block, "thinking": "", "signature": ""}
            return bare, _said(block, "thinking", "thinking_delta"), _said(block, "signature", "signature_delta")
        case "compaction":
            said = _said(block, "content", "compaction_delta")
            return ({**block, "content": ""} if said else block), said, []
        case "tool_use" | "server_tool_use":
            called_name(block)
            given = block.get("input")
            text = msgspec.json.encode(given).decode() if given else ""
            later = [{"type": "input_json_delta", "partial_json": text}] if text else []
            return {**block, "input": {}}, [], later
        case _:
            return block, [], []


def _said(block: Block, member: str, kind: str) -> list[Delta]:
    text = block.get(member)
    return [{"type": kind, member: text}] if isinstance(text, str) and text else []

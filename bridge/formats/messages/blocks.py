"""Messages, content blocks of a verbatim request, one by one: what the upstream refuses becomes what it takes.

A block that may stand is handed on as the very same object, by which the caller sees that nothing changed.
"""

from __future__ import annotations

import re
from typing import Any

from bridge.call_ids import fit
from bridge.formats.messages.documents import document_blocks, image_block
from bridge.formats.messages.notes import Block, found, kind_of, name_of_kind, searched, text_block
from bridge.json_text import decode_object

# Members that the upstream knows, beside `type` and `cache_control`.
_KEYS = {
    "text": frozenset({"text", "citations"}),
    "image": frozenset({"source"}),
    "tool_result": frozenset({"tool_use_id", "content", "is_error"}),
    "tool_use": frozenset({"id", "name", "input", "caller"}),
    "thinking": frozenset({"thinking", "signature"}),
    "redacted_thinking": frozenset({"data"}),
}
_ASSISTANT = frozenset(
    {"text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "tool_search_tool_result", "compaction"}
)
_USER = frozenset({"text", "image", "document", "tool_result", "search_result"})
_IN_RESULT = frozenset({"text", "image", "document", "search_result", "tool_reference"})
_CALL_ID = re.compile(r"[a-zA-Z0-9_-]+")


def edit_blocks(blocks: list[Any], role: str, dropped: list[str]) -> list[Any]:
    """The blocks of a message of `role` (`result`: of a tool's result) that may stand, changed where they must be."""
    edited: list[Any] = []
    for block in blocks:
        new = _edit_block(block, role, dropped) if isinstance(block, dict) else _lost("content", dropped)
        if len(new) != 1 or new[0] is not block:
            _carry_breakpoint(block, new)
        edited += new
    return edited


def _edit_block(block: Block, role: str, dropped: list[str]) -> list[Block]:
    kind = kind_of(block)
    allowed = _ASSISTANT if role == "assistant" else _USER if role == "user" else _IN_RESULT
    match kind:
        case "server_tool_use" if not str(block.get("name")).startswith("tool_search"):
            return _search(block, dropped)
        case "web_search_tool_result":
            return [text_block(_found(block))]
        case _ if kind not in allowed:
            return _lost(name_of_kind(kind), dropped)
        case "text":
            return _text(_known(block))
        case "image":
            return [image_block(_known(block), dropped)]
        case "document":
            parts = document_blocks(block, dropped)
            return parts if parts[:1] == [block] else edit_blocks(parts, role, dropped)
        case "tool_use":
            return [_call(_known(block))]
        case "tool_result":
            return [_result(_known(block), dropped)]
        case _:
            return [_known(block)]


def _known(block: Block) -> Block:
    """The block with the members the upstream knows; itself when it has no other."""
    keys = _KEYS.get(str(block.get("type")))
    if keys is None or all(name in keys or name in ("type", "cache_control") for name in block):
        return block
    return {name: value for name, value in block.items() if name in keys or name in ("type", "cache_control")}


def _text(block: Block) -> list[Block]:
    """Quirk messages-empty-text: a text of nothing but white space is refused."""
    text = block.get("text")
    if not isinstance(text, str) or not text.strip():
        return []
    citations = block.get("citations")
    if isinstance(citations, list):
        kept = [each for each in citations if not _is_web_citation(each)]
        if len(kept) < len(citations):
            block = {name: value for name, value in block.items() if name != "citations"}
            return [{**block, "citations": kept} if kept else block]
    return [block]


def _is_web_citation(citation: object) -> bool:
    """It points into search results that went upstream as words."""
    return isinstance(citation, dict) and citation.get("type") == "web_search_result_location"


def _call(block: Block) -> Block:
    """Quirk messages-call-input: what a model broke off inside of is no object, and is wrapped in one."""
    call_id, value = block.get("id"), block.get("input")
    if isinstance(call_id, str) and not _CALL_ID.fullmatch(call_id):
        block = {**block, "id": fit(call_id)}
    if not isinstance(value, dict):
        block = {**block, "input": input_of(value if isinstance(value, str) else "")}
    return block


def input_of(arguments: str) -> dict[str, Any]:
    """A call's arguments as the object that Anthropic's format wants."""
    value = decode_object(arguments.encode("utf-8", "replace"))
    if value is None:
        return {"_raw_arguments": arguments} if arguments.strip() else {}
    return value


def _result(block: Block, dropped: list[str]) -> Block:
    call_id, content = block.get("tool_use_id"), block.get("content")
    if isinstance(call_id, str) and not _CALL_ID.fullmatch(call_id):
        block = {**block, "tool_use_id": fit(call_id)}
    if isinstance(content, list):
        edited = edit_blocks(content, "result", dropped)
        if len(edited) != len(content) or any(new is not old for new, old in zip(edited, content, strict=True)):
            block = {**block, "content": edited}
    elif content is not None and not isinstance(content, str):
        block = {name: value for name, value in block.items() if name != "content"}
    return block


def _search(block: Block, dropped: list[str]) -> list[Block]:
    """Quirk messages-search-history: results of a web search are refused in the history unless sealed by the vendor."""
    if block.get("name") != "web_search":
        return _lost(name_of_kind(block.get("name")), dropped)
    wanted = block.get("input")
    query = wanted.get("query") if isinstance(wanted, dict) else ""
    return [text_block(searched(query if isinstance(query, str) else ""))]


def _found(block: Block) -> str:
    results = block.get("content")
    pages = [page for page in results if isinstance(page, dict)] if isinstance(results, list) else []
    return found((str(page.get("title") or ""), str(page["url"])) for page in pages if isinstance(page.get("url"), str))


def _lost(name: str, dropped: list[str]) -> list[Block]:
    dropped.append(name)
    return []


def _carry_breakpoint(block: object, new: list[Block]) -> None:
    """A caching breakpoint stays behind what a block became."""
    if isinstance(block, dict) and new and "cache_control" in block and "cache_control" not in new[-1]:
        new[-1] = {**new[-1], "cache_control": block["cache_control"]}

"""The blocks of a Messages answer: what may grow in each, and what each must hold once it has stopped."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.dialects.answer import Answer, Called
from tests.dialects.frames import need, need_text

_CALL_ID = re.compile(r"[a-zA-Z0-9_-]+")
# By block: the deltas that make it grow, each with its member.
GROWTH = {
    "text": {"text_delta": "text", "citations_delta": "citation"},
    "thinking": {"thinking_delta": "thinking", "signature_delta": "signature"},
    "redacted_thinking": {},
    "tool_use": {"input_json_delta": "partial_json"},
    "server_tool_use": {"input_json_delta": "partial_json"},
    "web_search_tool_result": {},
    "compaction": {"compaction_delta": "content"},
}


def check_block(block: dict[str, Any], where: str) -> None:
    match block["type"]:
        case "tool_use" | "server_tool_use":
            call_id = need_text(block, "id", where)
            assert _CALL_ID.fullmatch(call_id), f"the id {call_id!r} of a call"
            need_text(block, "name", where)
            assert block["type"] == "tool_use" or block["name"] == "web_search", f"a server tool {block['name']!r}"
        case "redacted_thinking":
            need_text(block, "data", where)
        case "thinking":
            need(block, "thinking", str, where)
            need(block, "signature", str, where)
        case "text":
            need(block, "text", str, where)
        case "compaction":
            need(block, "content", (str, type(None)), where)
        case "web_search_tool_result":
            need_text(block, "tool_use_id", where)
            for result in block["content"] if isinstance(block["content"], list) else []:
                need_text(result, "url", where)
                need_text(result, "encrypted_content", where)


def add_block(answer: Answer, block: dict[str, Any], arguments: str) -> None:
    match block["type"]:
        case "text":
            answer.texts.append(block["text"])
            for citation in block.get("citations") or []:
                _check_citation(citation)
                answer.citations.append(citation.get("url") or "")
        case "thinking":
            answer.reasonings.append(block["thinking"])
            answer.seals += [block["signature"]] if block["signature"] else []
        case "redacted_thinking":
            answer.seals.append(block["data"])
        case "tool_use":
            answer.calls.append(Called(block["id"], block["name"], arguments))
        case "compaction":
            answer.compactions.append(block["content"] or "")
        case "web_search_tool_result":
            _add_search(answer, block)


def _add_search(answer: Answer, block: dict[str, Any]) -> None:
    asked = [each for each in answer.whole.get("content", []) if each.get("id") == block["tool_use_id"]]
    found = block["content"] if isinstance(block["content"], list) else []
    query = asked[0]["input"].get("query", "") if asked else ""
    answer.searches.append((query, tuple(result["url"] for result in found)))


def _check_citation(citation: dict[str, Any]) -> None:
    if citation.get("type") == "web_search_result_location":
        need_text(citation, "url", "citation")
        need_text(citation, "encrypted_index", "citation")


def object_or_empty(text: str) -> dict[str, Any]:
    """A tool's input as a client's SDK puts it together; what is no JSON is judged at the end, with the stop reason."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}

"""Messages, parts of a reply as whole content blocks: what an unstreamed answer holds, and what a block starts with."""

from __future__ import annotations

from typing import Any, assert_never

from bridge.assembly import ReplyPart
from bridge.call_ids import Distinct
from bridge.formats.messages.blocks import input_of
from bridge.parts import Call, Citation, Compaction, Reasoning, Refusal, SealKind, Search, Source, Text

Block = dict[str, Any]
_SEARCH_PREFIX = "srvtoolu_"
# Clients give back what they were given, and the vendor's own checks want it filled.
_SEALED = "unavailable"


def blocks_of(part: ReplyPart, ids: Distinct) -> list[Block]:
    """The content blocks that say `part`; none for what the format cannot say. `ids` are those of the answer."""
    match part:
        case Text(text, citations):
            block: Block = {"type": "text", "text": text}
            return [block | {"citations": [write_citation(each) for each in citations]} if citations else block]
        case Refusal(text):
            return [{"type": "text", "text": text}]
        case Reasoning(_, seal):
            if seal is not None and seal.kind is SealKind.REDACTED:
                return [{"type": "redacted_thinking", "data": seal.value}]
            signature = seal.value if seal is not None and seal.kind is SealKind.SIGNATURE else ""
            return [{"type": "thinking", "thinking": part.text, "signature": signature}]
        case Call(call_id, name, arguments):
            return [{"type": "tool_use", "id": ids.fit(call_id), "name": name, "input": input_of(arguments)}]
        case Search(search_id, query, sources):
            return search_blocks(ids.fit(search_id_of(search_id)), query, sources)
        case Compaction(_, text):
            return [{"type": "compaction", "content": text}] if text else []
        case _:
            assert_never(part)


def search_blocks(block_id: str, query: str, sources: tuple[Source, ...]) -> list[Block]:
    """A search as Anthropic tells it: the wish, and what was found."""
    return [
        {"type": "server_tool_use", "id": block_id, "name": "web_search", "input": {"query": query}},
        {
            "type": "web_search_tool_result",
            "tool_use_id": block_id,
            "content": [
                {
                    "type": "web_search_result",
                    "url": source.url,
                    "title": source.title,
                    "encrypted_content": _SEALED,
                    "page_age": None,
                }
                for source in sources
            ],
        },
    ]


def search_id_of(search_id: str) -> str:
    return search_id if search_id.startswith(_SEARCH_PREFIX) else _SEARCH_PREFIX + search_id


def write_citation(citation: Citation) -> Block:
    """A page of the web where there is an address, a place in a document otherwise."""
    if citation.url:
        return {
            "type": "web_search_result_location",
            "url": citation.url,
            "title": citation.title,
            "encrypted_index": _SEALED,
            "cited_text": citation.quote,
        }
    return {
        "type": "char_location",
        "cited_text": citation.quote,
        "document_index": 0,
        "document_title": citation.title or None,
        "start_char_index": 0,
        "end_char_index": 0,
    }

"""Chat Completions, what stands beside the words of an answer: citations and log probabilities, read and written.

Shapes: `annotations` of https://platform.openai.com/docs/api-reference/chat/object, `logprobs` of
https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bridge.parts import Citation, TokenChance


def read_citations(annotations: object) -> list[Citation]:
    """The web pages among `annotations`; Copilot also puts findings about code there, which cite nothing."""
    if not isinstance(annotations, list):
        return []
    cited = [note.get("url_citation") for note in annotations if isinstance(note, dict)]
    return [
        Citation(note["url"], _text(note.get("title")), _place(note.get("start_index")), _place(note.get("end_index")))
        for note in cited
        if isinstance(note, dict) and isinstance(note.get("url"), str)
    ]


def write_citation(citation: Citation, base: int, length: int) -> dict[str, Any]:
    """An annotation of the text that begins at `base` of the answer; one without a place covers all its `length`."""
    start = 0 if citation.start is None else citation.start
    end = length if citation.end is None else citation.end
    place = {"start_index": base + start, "end_index": base + end}
    return {"type": "url_citation", "url_citation": {"url": citation.url, "title": citation.title, **place}}


def read_chances(logprobs: object) -> tuple[TokenChance, ...]:
    """The log probabilities of the answer's text; entries of another shape are passed over."""
    listed = logprobs.get("content") if isinstance(logprobs, dict) else None
    return _chances(listed)


def write_chances(chances: Iterable[TokenChance]) -> list[dict[str, Any]]:
    """The entries of `logprobs.content`."""
    return [_chance(chance) | {"top_logprobs": [_chance(other) for other in chance.top]} for chance in chances]


def _chances(listed: object) -> tuple[TokenChance, ...]:
    found: list[TokenChance] = []
    for entry in listed if isinstance(listed, list) else []:
        token = entry.get("token") if isinstance(entry, dict) else None
        logprob = entry.get("logprob") if isinstance(entry, dict) else None
        if isinstance(token, str) and isinstance(logprob, int | float):
            found.append(
                TokenChance(token, float(logprob), _bytes(entry.get("bytes")), _chances(entry.get("top_logprobs")))
            )
    return tuple(found)


def _chance(chance: TokenChance) -> dict[str, Any]:
    return {
        "token": chance.token,
        "logprob": chance.logprob,
        "bytes": None if chance.bytes is None else list(chance.bytes),
    }


def _bytes(listed: object) -> tuple[int, ...] | None:
    if not isinstance(listed, list) or not all(isinstance(byte, int) for byte in listed):
        return None
    return tuple(listed)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _place(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None

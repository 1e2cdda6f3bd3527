"""Messages, words that stand in for what the upstream does not take: notes to the model, in plain text blocks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

Block = dict[str, Any]

BILLING_MARK = "x-anthropic-billing-header"
GO_ON = "Please continue."
NO_WEB_SEARCH = (
    "Web search is not available through this service. If the request needs it, answer from what you know and say "
    "plainly that the web was not searched."
)
IMAGE_AT_URL = "[An image stood here by its address. It was not fetched: {url}]"
DOCUMENT_AT_URL = "[A document stood here by its address. It was not fetched: {url}]"
FILE_BY_ID = "[A file stood here by its id at the vendor, where it cannot be read: {file_id}]"
UNREADABLE = "[A document of the type {media_type} stood here. It cannot be read.]"
IMAGE_LEFT_OUT = "[An earlier image is left out: the model takes at most {most} images.]"


def text_block(text: str) -> Block:
    return {"type": "text", "text": text}


def reminder(text: str) -> str:
    """Instructions inside the conversation, in the form Claude's own client programs use for them.

    Quirk messages-system-turn: the role `system` is refused in the conversation.
    """
    return f"<system-reminder>\n{text}\n</system-reminder>"


def without_billing_header(text: str) -> str:
    """Quirk messages-billing-header: a line of Claude Code's that is refused, and changes with every request."""
    while text.startswith(BILLING_MARK):
        text = text.partition("\n")[2].lstrip("\n")
    return text


def searched(query: str) -> str:
    return f"[Searched the web for: {query}]" if query else "[Searched the web]"


def found(sources: Iterable[tuple[str, str]]) -> str:
    """The (title, address) of what a search found."""
    lines = [f"- {title or url}: {url}" for title, url in sources]
    return "\n".join(["[Web search results]", *lines]) if lines else "[The web search found nothing]"


def schema_wish(schema: dict[str, Any] | None) -> str:
    """Structured output as an instruction, for models that do not take it as a setting."""
    words = "Answer with one JSON object and nothing else: no words before or after it, no code fence."
    if schema is None:
        return words
    return f"{words} It must be valid against this JSON schema:\n{msgspec.json.encode(schema).decode()}"


def kind_of(block: Block) -> str:
    """A block's type; empty when it has none."""
    kind = block.get("type")
    return kind if isinstance(kind, str) else ""


def name_of_kind(kind: object) -> str:
    """A block's or tool's type as the name of a loss: fit for a header, without its date."""
    name = kind.rstrip("0123456789").rstrip("_") if isinstance(kind, str) else ""
    return name if name.isascii() and name.replace("_", "").isalnum() and len(name) <= 40 else "content"

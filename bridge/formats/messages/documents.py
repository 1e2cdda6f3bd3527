"""Messages, documents and images as the upstream takes them: PDFs and images in base64, all else as text.

Quirk messages-documents: a document of plain text is refused by the clouds behind Copilot, and so is an image at an
address; the gateway itself never fetches an address that a caller names.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from bridge.formats.messages.notes import DOCUMENT_AT_URL, FILE_BY_ID, IMAGE_AT_URL, UNREADABLE, Block, text_block

_PDF = "application/pdf"


def image_block(block: Block, dropped: list[str]) -> Block:
    """An image as base64, or a note in its place."""
    source = block.get("source")
    source = source if isinstance(source, dict) else {}
    match source.get("type"):
        case "base64":
            return block
        case "url":
            url = str(source.get("url") or "")
            inline = inline_source(url)
            return {**block, "source": inline} if inline is not None else _note(IMAGE_AT_URL, dropped, url=url)
        case "file":
            return _note(FILE_BY_ID, dropped, file_id=str(source.get("file_id") or ""))
        case _:
            return _note(UNREADABLE, dropped, media_type="image")


def document_blocks(block: Block, dropped: list[str]) -> list[Block]:
    """A document as it may stand, or its text, or a note; the parts of a `content` source are left to be looked at."""
    source = block.get("source")
    source = source if isinstance(source, dict) else {}
    media_type = str(source.get("media_type") or "")
    match source.get("type"):
        case "base64" if media_type == _PDF:
            return [block]
        case "base64":
            text = decoded_text(media_type, str(source.get("data") or ""))
            if text is None:
                return [_note(UNREADABLE, dropped, media_type=media_type or "unknown")]
            return [text_block(_titled(block, text))]
        case "text":
            return [text_block(_titled(block, str(source.get("data") or "")))]
        case "content":
            return _contents(block, source.get("content"))
        case "url":
            return [_note(DOCUMENT_AT_URL, dropped, url=str(source.get("url") or ""))]
        case "file":
            return [_note(FILE_BY_ID, dropped, file_id=str(source.get("file_id") or ""))]
        case _:
            return [_note(UNREADABLE, dropped, media_type="unknown")]


def inline_source(url: str) -> dict[str, Any] | None:
    """A `data:` address as a base64 source; None for other addresses."""
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    media_type = head[len("data:") : -len(";base64")].partition(";")[0].lower()
    return {"type": "base64", "media_type": "image/jpeg" if media_type == "image/jpg" else media_type, "data": data}


def decoded_text(media_type: str, data: str) -> str | None:
    """The words of a text file in base64; None when it is no text."""
    if not media_type.startswith("text/") and media_type not in ("application/json", "application/xml"):
        return None
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def titled(text: str, title: str, context: str = "") -> str:
    """A document's text under its title and what was said about it."""
    head = [f"Document: {title}"] if title else []
    return "\n\n".join([*head, *([context] if context else []), text])


def _titled(block: Block, text: str) -> str:
    return titled(text, str(block.get("title") or ""), str(block.get("context") or ""))


def _contents(block: Block, content: object) -> list[Block]:
    head = _titled(block, "").strip()
    listed = [text_block(content)] if isinstance(content, str) else content if isinstance(content, list) else []
    parts = [part for part in listed if isinstance(part, dict) and part.get("type") in ("text", "image")]
    return [*([text_block(head)] if head else []), *parts]


_NAMES = {
    IMAGE_AT_URL: "image_url",
    DOCUMENT_AT_URL: "document_url",
    FILE_BY_ID: "file_id",
    UNREADABLE: "document",
}


def _note(template: str, dropped: list[str], **told: str) -> Block:
    dropped.append(_NAMES[template])
    return text_block(template.format(**{name: value[:500] for name, value in told.items()}))

"""Messages, turns written as messages: roles take turns, results come first in a user's, calls last in the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from bridge.call_ids import fit
from bridge.formats.messages.blocks import input_of
from bridge.formats.messages.documents import decoded_text, inline_source, titled
from bridge.formats.messages.images import image_places, leave_out
from bridge.formats.messages.notes import (
    DOCUMENT_AT_URL,
    FILE_BY_ID,
    GO_ON,
    IMAGE_AT_URL,
    UNREADABLE,
    Block,
    found,
    reminder,
    searched,
    text_block,
)
from bridge.formats.messages.order import is_native_signature, tidy
from bridge.parts import (
    Cache,
    Call,
    Compaction,
    Document,
    Image,
    Part,
    Reasoning,
    Refusal,
    Result,
    SealKind,
    Search,
    Text,
)
from bridge.prompt import Role, Turn
from bridge.target import Target

_PDF = "application/pdf"
_BEGINNING = "[The conversation begins with the assistant's words.]"
_SUMMARY = "[What was said before, in short]\n{text}"


def write_turns(turns: Iterable[Turn], target: Target, dropped: list[str]) -> list[Block]:
    """The messages of a conversation; what a block cannot say is named in `dropped`."""
    messages: list[Block] = []
    for turn in turns:
        role = "assistant" if turn.role is Role.ASSISTANT else "user"
        blocks = [block for part in turn.parts for block in _blocks(part, turn.role, dropped)]
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += blocks
        else:
            messages.append({"role": role, "content": blocks})
    _put_in_order(messages)
    messages = _merged([message for message in messages if message["content"]])
    if not messages or messages[0]["role"] == "assistant":
        messages.insert(0, {"role": "user", "content": [text_block(_BEGINNING)]})
    if messages[-1]["role"] == "assistant":
        _trim_end(messages[-1]["content"])
        messages.append({"role": "user", "content": [text_block(GO_ON)]})
    if target.max_images is not None:
        places = [place for message in messages for place in image_places(message["content"])]
        leave_out(places, target.max_images, dropped)
    return messages


def mark(block: Block, cache: Cache | None) -> Block:
    """The block with a breakpoint behind it when `cache` asks for one."""
    if cache is not None:
        block["cache_control"] = {"type": "ephemeral"}
    return block


def _put_in_order(messages: list[Block]) -> None:
    latest = max((at for at, message in enumerate(messages) if message["role"] == "assistant"), default=-1)
    for at, message in enumerate(messages):
        if message["role"] == "assistant":
            message["content"] = tidy(message["content"], is_latest=at == latest)
        else:
            message["content"].sort(key=lambda block: block["type"] != "tool_result")


def _merged(messages: list[Block]) -> list[Block]:
    """Neighbours of one role joined, where a message between them came out empty."""
    merged: list[Block] = []
    for message in messages:
        if merged and merged[-1]["role"] == message["role"]:
            merged[-1]["content"] += message["content"]
        else:
            merged.append(message)
    return merged


def _trim_end(blocks: list[Block]) -> None:
    if blocks[-1]["type"] == "text":
        blocks[-1]["text"] = blocks[-1]["text"].rstrip()


def _blocks(part: Part, role: Role, dropped: list[str]) -> list[Block]:
    match part:
        case Text(text, _, _, _, cache):
            words = reminder(text) if role is Role.SYSTEM else text
            return [mark(text_block(words), cache)] if text.strip() else []
        case Refusal(text):
            return [text_block(text)] if text.strip() else []
        case Reasoning():
            return _thinking(part) if role is Role.ASSISTANT else []
        case Call(call_id, name, arguments, _, _, cache):
            return [mark({"type": "tool_use", "id": fit(call_id), "name": name, "input": input_of(arguments)}, cache)]
        case Result():
            return [_result(part, dropped)]
        case Image() | Document() if role is Role.ASSISTANT:
            dropped.append("image" if isinstance(part, Image) else "document")
            return []
        case Image():
            return [_image(part, dropped)]
        case Document():
            return [_document(part, dropped)]
        case Search(_, query, sources):
            pages = [(source.title, source.url) for source in sources]
            return [text_block("\n".join([searched(query), *([found(pages)] if pages else [])]))]
        case Compaction(ciphertext, text):
            if ciphertext and not text:
                dropped.append("compaction")
            return [text_block(_SUMMARY.format(text=text))] if text.strip() else []
        case _:
            assert_never(part)


def _thinking(part: Reasoning) -> list[Block]:
    """Thinking goes back under its own seal or not at all."""
    if part.seal is None:
        return []
    if part.seal.kind is SealKind.REDACTED:
        return [{"type": "redacted_thinking", "data": part.seal.value}]
    if part.seal.kind is SealKind.SIGNATURE and is_native_signature(part.seal.value):
        return [{"type": "thinking", "thinking": part.text, "signature": part.seal.value}]
    return []


def _result(part: Result, dropped: list[str]) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": fit(part.call_id)}
    content: list[Block] = []
    for inner in part.parts:
        match inner:
            case Text(text, _, _, _, cache):
                content += [mark(text_block(text), cache)] if text.strip() else []
            case Image():
                content.append(_image(inner, dropped))
            case Document():
                content.append(_document(inner, dropped))
            case _:
                assert_never(inner)
    if content:
        block["content"] = content
    if part.is_error:
        block["is_error"] = True
    return mark(block, part.cache)


def _image(image: Image, dropped: list[str]) -> Block:
    source = inline_source(image.url) if image.url else None
    if image.data:
        source = {"type": "base64", "media_type": image.media_type or "image/png", "data": image.data}
    if source is not None:
        return mark({"type": "image", "source": source}, image.cache)
    if image.url:
        dropped.append("image_url")
        return text_block(IMAGE_AT_URL.format(url=image.url[:500]))
    dropped.append("file_id")
    return text_block(FILE_BY_ID.format(file_id=image.file_id[:500]))


def _document(document: Document, dropped: list[str]) -> Block:
    text = document.text or decoded_text(document.media_type, document.data)
    inline = inline_source(document.url) if document.url else None
    data, media_type = document.data, document.media_type
    if inline is not None:
        data, media_type = inline["data"], inline["media_type"]
        text = decoded_text(media_type, data)
    if text is not None and (text or not (data or document.url or document.file_id)):
        return mark(
            text_block(titled(text, document.title, document.context) or UNREADABLE.format(media_type="text")),
            document.cache,
        )
    if data and media_type == _PDF:
        return mark(_pdf(document, data), document.cache)
    if data:
        dropped.append("document")
        return text_block(UNREADABLE.format(media_type=media_type[:100] or "unknown"))
    dropped.append("document_url" if document.url else "file_id")
    if document.url:
        return text_block(DOCUMENT_AT_URL.format(url=document.url[:500]))
    return text_block(FILE_BY_ID.format(file_id=document.file_id[:500]))


def _pdf(document: Document, data: str) -> Block:
    block: Block = {"type": "document", "source": {"type": "base64", "media_type": _PDF, "data": data}}
    named = {
        "title": document.title,
        "context": document.context,
        "citations": {"enabled": True} if document.cites else None,
    }
    return block | {name: value for name, value in named.items() if value}

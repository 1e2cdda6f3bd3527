"""The turns of a Prompt, written as input items.

Quirk responses-item-ids: items carry no ids, for nothing is stored upstream.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, assert_never

from bridge.formats.responses.names import fitted_call_id
from bridge.parts import (
    Call,
    CallKind,
    Citation,
    Compaction,
    Document,
    Image,
    Reasoning,
    Refusal,
    Result,
    SealKind,
    Search,
    Text,
)
from bridge.prompt import Role, Turn
from bridge.target import Target, WireProfile

_ROLES = {Role.SYSTEM: "developer", Role.USER: "user", Role.ASSISTANT: "assistant"}


class ItemsWriter:
    """`write` the turns in order; `items` is the input, `dropped` names what no item can say."""

    def __init__(self, target: Target) -> None:
        self.items: list[dict[str, Any]] = []
        self.dropped: list[str] = []
        self._target = target

    def write(self, turn: Turn) -> None:
        message: dict[str, Any] | None = None
        hoisted: list[dict[str, Any]] = []
        for index, part in enumerate(turn.parts):
            if isinstance(part, Result):
                hoisted += self._write_result(part)
                message = None
                continue
            if isinstance(part, Call | Reasoning | Compaction):
                self._write_item(part)
                message = None
                continue
            content = self._content(part, turn.role)
            if not content:
                continue
            phase = self._phase(turn, index)
            if message is None or message.get("phase", "") != phase:
                message = self._message(turn.role, phase)
            message["content"] += content
        if hoisted:
            self._message(Role.USER)["content"] += hoisted

    def write_instructions(self, text: str) -> None:
        """Instructions as a message, for an input that would hold nothing otherwise."""
        self._message(Role.SYSTEM)["content"].append(_input_text(text))

    def _message(self, role: Role, phase: str = "") -> dict[str, Any]:
        message: dict[str, Any] = {"type": "message", "role": _ROLES[role], "content": []}
        if phase:
            message["phase"] = phase
        self.items.append(message)
        return message

    def _phase(self, turn: Turn, index: int) -> str:
        """Models with phases read their own words before a call as commentary, the last ones as the answer."""
        part = turn.parts[index]
        if turn.role is not Role.ASSISTANT or self._target.profile is WireProfile.FOREIGN:
            return ""
        if self._target.profile is not WireProfile.LITE or (isinstance(part, Text) and part.phase):
            return part.phase if isinstance(part, Text) else ""
        calls_follow = any(isinstance(later, Call) for later in turn.parts[index:])
        return "commentary" if calls_follow else "final_answer"

    def _content(self, part: Text | Refusal | Search | Image | Document, role: Role) -> list[dict[str, Any]]:
        """What a message says of the part."""
        match part:
            case Text():
                return [_text(part, role)] if part.text else []
            case Refusal(text):
                return [{"type": "refusal", "refusal": text}] if role is Role.ASSISTANT else [_input_text(text)]
            case Search(_, query, sources):
                found = ", ".join(source.url for source in sources)
                said = f"Searched the web for “{query}”" + (f": {found}" if found else ".")
                return [_text(Text(said), role)] if query else []
            case Image() | Document():
                return self._input(part)
            case _:
                assert_never(part)

    def _write_item(self, part: Call | Reasoning | Compaction) -> None:
        match part:
            case Call():
                self.items.append(_call(part))
            case Reasoning(sections, seal):
                if seal is not None and seal.kind is SealKind.CIPHERTEXT:
                    summary = [{"type": "summary_text", "text": section} for section in sections]
                    self.items.append({"type": "reasoning", "summary": summary, "encrypted_content": seal.value})
            case Compaction(ciphertext, text):
                self._compact(ciphertext, text)
            case _:
                assert_never(part)

    def _compact(self, ciphertext: str, text: str) -> None:
        """Quirk responses-compaction: what was said before is in the digest, and need not be sent again."""
        if ciphertext:
            self.items = [{"type": "compaction", "encrypted_content": ciphertext}]
        elif text:
            self._message(Role.USER)["content"].append(_input_text(text))

    def _write_result(self, result: Result) -> list[dict[str, Any]]:
        """Write the output; returned are images for a message behind it, where the model takes none in an output."""
        parts = [each for part in result.parts for each in self._parts_of_output(part)]
        hoisted: list[dict[str, Any]] = []
        if self._target.profile is WireProfile.FOREIGN:
            hoisted = [part for part in parts if part["type"] != "input_text"]
            parts = [part for part in parts if part["type"] == "input_text"]
        if result.is_error:
            parts = [_input_text("[ERROR] " + (parts.pop(0)["text"] if parts and "text" in parts[0] else "")), *parts]
        is_text = all(part["type"] == "input_text" for part in parts)
        self.items.append(_output(result, "\n".join(part["text"] for part in parts) if is_text else parts))
        return hoisted

    def _parts_of_output(self, part: Text | Image | Document) -> list[dict[str, Any]]:
        return [_input_text(part.text)] if isinstance(part, Text) else self._input(part)

    def _input(self, part: Image | Document) -> list[dict[str, Any]]:
        written = _image(part) if isinstance(part, Image) else _document(part)
        if written is None:
            self.dropped.append("file_id")
            return []
        return [written]


def _text(part: Text, role: Role) -> dict[str, Any]:
    if role is not Role.ASSISTANT:
        return _input_text(part.text)
    return {"type": "output_text", "text": part.text, "annotations": write_citations(part.citations, part.text)}


def write_citations(citations: Sequence[Citation], text: str) -> list[dict[str, Any]]:
    return [write_citation(citation, len(text)) for citation in citations if citation.url]


def write_citation(citation: Citation, size: int) -> dict[str, Any]:
    """A `url_citation`; one whose place is not told is of all the text, `size` characters, so far."""
    return {
        "type": "url_citation",
        "start_index": citation.start if citation.start is not None else 0,
        "end_index": citation.end if citation.end is not None else size,
        "title": citation.title,
        "url": citation.url,
    }


def _input_text(text: str) -> dict[str, Any]:
    return {"type": "input_text", "text": text}


def _call(call: Call) -> dict[str, Any]:
    is_custom = call.kind is CallKind.CUSTOM
    item: dict[str, Any] = {
        "type": "custom_tool_call" if is_custom else "function_call",
        "call_id": fitted_call_id(call.id),
        "name": call.name,
    }
    if call.namespace:
        item["namespace"] = call.namespace
    item["input" if is_custom else "arguments"] = call.arguments if is_custom else call.arguments or "{}"
    return item


def _output(result: Result, output: str | list[dict[str, Any]]) -> dict[str, Any]:
    kind = "custom_tool_call_output" if result.kind is CallKind.CUSTOM else "function_call_output"
    return {"type": kind, "call_id": fitted_call_id(result.call_id), "output": output}


def _image(image: Image) -> dict[str, Any] | None:
    url = f"data:{image.media_type};base64,{image.data}" if image.data else image.url
    return {"type": "input_image", "image_url": url, "detail": image.detail or "auto"} if url else None


def _document(document: Document) -> dict[str, Any] | None:
    text = document.text or _text_of(document)
    if text:
        head = "\n".join(each for each in (document.title, document.context) if each)
        return _input_text(f"{head}\n\n{text}" if head else text)
    if document.data:
        media_type = document.media_type or "application/pdf"
        name = document.title or "document.pdf"
        return {"type": "input_file", "filename": name, "file_data": f"data:{media_type};base64,{document.data}"}
    return {"type": "input_file", "file_url": document.url} if document.url else None


def _text_of(document: Document) -> str:
    if not document.media_type.startswith("text/"):
        return ""
    try:
        return base64.b64decode(document.data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""

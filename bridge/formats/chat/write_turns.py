"""Chat Completions, request side: the hub's turns written as messages.

What the format has no member for is said in a text where that helps the model, and named where it is lost: documents
other than text, images beyond the model's limit, searches, digests of earlier turns.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any, assert_never

from bridge.formats.chat.families import speaks_openai
from bridge.formats.chat.kimi import rename_calls
from bridge.formats.chat.messages import hoist_tool_images, mend_arguments
from bridge.parts import (
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

_CACHE = {"type": "ephemeral"}


def write_messages(
    system: tuple[Text, ...], turns: tuple[Turn, ...], target: Target
) -> tuple[list[dict[str, Any]], list[str]]:
    """The messages that `target` takes, and the names of what they cannot carry."""
    writer = _Writer(target, _surplus_of_images(turns, target.max_images))
    writer.instruct(system)
    for turn in turns:
        writer.write(turn)
    messages = hoist_tool_images(writer.messages)
    if not speaks_openai(target):
        for message in messages:
            mend_arguments(message)
    if target.family.startswith("kimi"):
        messages = rename_calls(messages, target.family)
    return messages, writer.dropped


def _surplus_of_images(turns: tuple[Turn, ...], most: int | None) -> int:
    if most is None:
        return 0
    parts = [part for turn in turns for part in turn.parts]
    inner = [part for result in parts if isinstance(result, Result) for part in result.parts]
    return sum(isinstance(part, Image) for part in [*parts, *inner]) - most


class _Writer:
    def __init__(self, target: Target, surplus: int) -> None:
        self.messages: list[dict[str, Any]] = []
        self.dropped: list[str] = []
        self._is_openai = speaks_openai(target)
        self._surplus = surplus

    def instruct(self, texts: Iterable[Text]) -> None:
        """One message for all that stands up to a caching breakpoint: it is the message that carries it."""
        waiting: list[str] = []
        for text in texts:
            waiting += [text.text] if text.text else []
            if text.cache is not None and waiting:
                self._add("system", "\n\n".join(waiting), is_cached=True)
                waiting = []
        if waiting:
            self._add("system", "\n\n".join(waiting))

    def write(self, turn: Turn) -> None:
        match turn.role:
            case Role.SYSTEM:
                self.instruct([part for part in turn.parts if isinstance(part, Text)])
            case Role.USER:
                self._hear(turn.parts)
            case Role.ASSISTANT:
                self._say(turn.parts)
            case _:
                assert_never(turn.role)

    def _add(self, role: str, content: Any, *, is_cached: bool = False, **members: Any) -> None:
        message = {"role": role, "content": content, **members}
        if is_cached:
            message["copilot_cache_control"] = _CACHE
        self.messages.append(message)

    def _hear(self, parts: tuple[Part, ...]) -> None:
        """A turn of the user: the results of calls first, each a message, then what the user said."""
        for part in parts:
            if isinstance(part, Result):
                content = _content([written for inner in part.parts for written in self._shown(inner)])
                content = _marked_as_error(content) if part.is_error else content
                self._add("tool", content, is_cached=part.cache is not None, tool_call_id=part.call_id)
        said = [written for part in parts for written in self._shown(part)]
        if said:
            self._add("user", _content(said), is_cached=_is_cached(parts))

    def _say(self, parts: tuple[Part, ...]) -> None:
        """A turn of the assistant in one message; a digest of earlier turns stands before it as the user's."""
        texts: list[str] = []
        calls: list[dict[str, Any]] = []
        for part in parts:
            if isinstance(part, Call):
                calls.append(_call(part))
            elif isinstance(part, Compaction):
                self._hear((part,))
            elif not (isinstance(part, Refusal) and self._is_openai):
                texts += [said["text"] for said in self._shown(part) if said["type"] == "text"]
        members = _reasoning([part for part in parts if isinstance(part, Reasoning)])
        refusal = "".join(part.text for part in parts if isinstance(part, Refusal))
        if refusal and self._is_openai:
            members["refusal"] = refusal
        if calls:
            members["tool_calls"] = calls
        if texts or refusal or calls:
            self._add("assistant", "".join(texts) or None, is_cached=_is_cached(parts), **members)

    def _shown(self, part: Part) -> list[dict[str, Any]]:
        """A part of the user's, or of a result, as parts of this format."""
        match part:
            case Text(text):
                return [_text(text)] if text else []
            case Refusal(text):
                return [_text(text)]
            case Image():
                return [self._image(part)]
            case Document():
                return [_text(self._document(part))]
            case Compaction(text=text):
                if not text:
                    self.dropped.append("compaction")
                return [_text(text)] if text else []
            case Search():
                return [_text(text) for text in _told_search(part)]
            case Result() | Call() | Reasoning():
                return []
            case _:
                assert_never(part)

    def _image(self, image: Image) -> dict[str, Any]:
        if self._surplus > 0 or image.file_id:
            self._surplus -= 1
            self.dropped.append("image_url")
            why = "it lies where only its vendor reaches it" if image.file_id else "there are more than the model takes"
            return _text(f"[image omitted: {why}]")
        url = f"data:{image.media_type};base64,{image.data}" if image.data else image.url
        return {"type": "image_url", "image_url": {"url": url} | ({"detail": image.detail} if image.detail else {})}

    def _document(self, document: Document) -> str:
        """Text is told with its title; other documents are beyond Copilot's chat models."""
        text = document.text or _plain_text(document)
        name = document.title or document.url
        if text:
            heads = [f"Document “{name}”:" if name else "", document.context]
            return "\n\n".join([*filter(None, heads), text])
        self.dropped.append("document")
        return f"[document {name or 'without a name'} omitted: this model takes no such file]"


def _plain_text(document: Document) -> str:
    if not document.media_type.startswith("text/"):
        return ""
    try:
        return base64.b64decode(document.data, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _content(parts: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """A single text is a plain string: every model knows that."""
    if not parts:
        return ""
    return str(parts[0]["text"]) if len(parts) == 1 and parts[0]["type"] == "text" else parts


def _marked_as_error(content: str | list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Quirk error-results: the format has no member that says a call failed, so the text does."""
    mark = "[ERROR] "
    if isinstance(content, str):
        return mark + content
    if content[0]["type"] == "text":
        return [_text(mark + content[0]["text"]), *content[1:]]
    return [_text(mark.strip()), *content]


def _is_cached(parts: tuple[Part, ...]) -> bool:
    return any(isinstance(part, Text | Image | Document | Call) and part.cache is not None for part in parts)


def _reasoning(thoughts: list[Reasoning]) -> dict[str, Any]:
    """Quirk reasoning-echo: a thought goes back under the upstream's own names, and only with the seal it came with."""
    sealed = [each for each in thoughts if each.seal is not None and each.seal.kind is SealKind.OPAQUE]
    if not sealed or sealed[-1].seal is None:
        return {}
    text = "\n\n".join(each.text for each in sealed if each.text)
    return ({"reasoning_text": text} if text else {}) | {"reasoning_opaque": sealed[-1].seal.value}


def _call(call: Call) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _told_search(search: Search) -> list[str]:
    if not search.query and not search.sources:
        return []
    found = "".join(f"\n- {source.title or source.url}: {source.url}" for source in search.sources)
    return [f"[Searched the web for “{search.query}”{':' if found else ''}{found}]\n"]

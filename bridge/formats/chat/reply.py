"""Chat Completions, a whole reply written as one `chat.completion`.

Shape: https://platform.openai.com/docs/api-reference/chat/object
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, assert_never

import msgspec

from bridge.assembly import Reply, ReplyPart
from bridge.formats.chat.marks import write_chances, write_citation
from bridge.formats.chat.reply_writer import finish_reason
from bridge.formats.chat.usage import write_usage
from bridge.parts import Call, CallKind, Compaction, Reasoning, Refusal, SealKind, Search, Text
from bridge.road import Heading


def write_reply(reply: Reply, heading: Heading) -> bytes:
    """The body of an unstreamed answer: what the stream of the same reply would add up to."""
    message = _Message()
    for part in reply.parts:
        message.add(part)
    choice = {
        "index": 0,
        "message": message.written(),
        "logprobs": {"content": message.chances, "refusal": None} if message.chances else None,
        "finish_reason": finish_reason(reply.stop, has_calls=bool(message.calls)),
    }
    whole = {
        "id": f"chatcmpl-{heading.id}",
        "object": "chat.completion",
        "created": heading.created,
        "model": heading.model,
        "choices": [choice],
        "usage": write_usage(reply.tally),
    }
    return msgspec.json.encode(whole)


@dataclass(slots=True)
class _Message:
    texts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    opaque: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    chances: list[dict[str, Any]] = field(default_factory=list)
    length: int = 0

    def add(self, part: ReplyPart) -> None:
        match part:
            case Text(text, citations, chances):
                self.annotations += [write_citation(each, self.length, len(text)) for each in citations]
                self.chances += write_chances(chances)
                self.texts.append(text)
                self.length += len(text)
            case Refusal(text):
                self.refusals.append(text)
            case Reasoning():
                self.thoughts.append(part.text)
                if part.seal is not None and part.seal.kind is SealKind.OPAQUE:
                    self.opaque = part.seal.value
            case Call():
                self.calls.append(_call(part))
            case Search() | Compaction():
                pass
            case _:
                assert_never(part)

    def written(self) -> dict[str, Any]:
        text, thought, refusal = "".join(self.texts), "".join(self.thoughts), "".join(self.refusals)
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None if not text and (self.calls or refusal) else text,
            "refusal": refusal or None,
        }
        if thought:
            message |= {"reasoning_content": thought, "reasoning_text": thought}
        if self.opaque:
            message["reasoning_opaque"] = self.opaque
        if self.annotations:
            message["annotations"] = self.annotations
        if self.calls:
            message["tool_calls"] = self.calls
        return message


def _call(call: Call) -> dict[str, Any]:
    if call.kind is CallKind.CUSTOM:
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}

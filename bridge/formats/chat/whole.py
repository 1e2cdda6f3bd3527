"""Chat Completions, unstreamed answer: gather the upstream's stream into one `chat.completion`.

Upstream is always asked to stream (unstreamed answers are capped at some 16 000 tokens there). Text pieces are
joined, tool calls by their index, lists of annotations and log probabilities appended; other members of a delta
keep their last value.
Shape: https://platform.openai.com/docs/api-reference/chat/object
"""

from __future__ import annotations

from typing import Any

import msgspec

from bridge.errors import BrokenStream
from bridge.formats.chat.chunks import ChunkReader, read_chunk
from bridge.sse import FrameSplitter, data_of, write_data

_encode = msgspec.json.Encoder().encode


class Gatherer:
    """`feed` packets until `done` or the end of the body, then take `result()`."""

    def __init__(self, reader: ChunkReader) -> None:
        self.reader = reader
        self.done = False
        self._splitter = FrameSplitter()
        self._texts: dict[str, list[str]] = {}
        self._lists: dict[str, list[Any]] = {}
        self._values: dict[str, Any] = {}
        self._calls: list[dict[str, Any]] = []
        self._arguments: list[list[str]] = []
        self._logprobs: list[Any] = []
        self._fingerprint: str | None = None

    def feed(self, packet: bytes) -> bytes:
        """Take a packet in; nothing goes to the caller yet. Raises BrokenStream: a frame is not JSON or has no end."""
        for frame in self._splitter.feed(packet):
            self._frame(frame)
        return b""

    def result(self) -> bytes:
        """The whole answer. Raises BrokenStream when the stream ended without a finish reason and without `[DONE]`."""
        rest = self._splitter.rest
        if rest and not self.done:
            self._frame(rest)
        reason = self.reader.finish_reason
        if (self.reader.finish is None and not self.done) or reason == "error":
            raise BrokenStream("The upstream's answer ended in the middle. Send the request again.")
        choice: dict[str, Any] = {"index": 0, "message": self._message(), "finish_reason": reason or "stop"}
        choice["logprobs"] = {"content": self._logprobs} if self._logprobs else None
        whole = self.reader.chunk([choice])
        whole["object"] = "chat.completion"
        if self._fingerprint is not None:
            whole["system_fingerprint"] = self._fingerprint
        whole["usage"] = self.reader.usage or {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        return _encode(whole)

    def _frame(self, frame: bytes) -> None:
        data = data_of(frame)
        if data is None or self.done:
            return
        if data.strip() == b"[DONE]":
            self.done = True
            return
        whole = self.reader.read(read_chunk(data))
        if whole is not None:
            self._fingerprint = whole.get("system_fingerprint", self._fingerprint)
            self._add(whole["choices"][0])

    def _add(self, choice: dict[str, Any]) -> None:
        logprobs = choice.get("logprobs")
        if isinstance(logprobs, dict) and isinstance(logprobs.get("content"), list):
            self._logprobs += logprobs["content"]
        for name, value in choice["delta"].items():
            if name == "tool_calls":
                self._add_calls(value)
            elif name == "role":
                continue
            elif isinstance(value, str) and name not in ("reasoning_opaque", "cot_id"):
                self._texts.setdefault(name, []).append(value)
            elif isinstance(value, list):
                self._lists.setdefault(name, []).extend(value)
            else:
                self._values[name] = value

    def _add_calls(self, calls: list[dict[str, Any]]) -> None:
        for call in calls:
            if call["index"] >= len(self._calls):
                self._calls.append({name: call[name] for name in ("id", "type")} | {"function": dict(call["function"])})
                self._arguments.append([])
            self._arguments[call["index"]].append(call["function"]["arguments"])

    def _message(self) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": None}
        message |= {name: "".join(parts) for name, parts in self._texts.items()}
        message |= self._lists | self._values
        if self._calls:
            for call, arguments in zip(self._calls, self._arguments, strict=True):
                call["function"]["arguments"] = "".join(arguments) or "{}"
            message["tool_calls"] = self._calls
        elif message["content"] is None:
            message["content"] = ""
        message.setdefault("refusal", None)
        return message


def frames_of_body(body: bytes) -> bytes:
    """An upstream's unstreamed JSON answer as the frames of a stream; quirk chat-native-body: also Anthropic's shape.

    Raises BrokenStream when it is neither.
    """
    answer = read_chunk(body)
    if isinstance(answer.get("content"), list):
        answer = _from_native(answer)
    if "choices" not in answer and "error" not in answer:
        raise BrokenStream("The upstream's answer has no choices. Send the request again.")
    if answer.get("choices") == []:  # quirk chat-empty-choices: nothing fitted into a tiny max_tokens
        answer["choices"] = [{"index": 0, "delta": {"content": ""}, "finish_reason": "length"}]
    return write_data(_encode(answer)) + write_data(b"[DONE]")


def _from_native(answer: dict[str, Any]) -> dict[str, Any]:
    blocks = [block for block in answer["content"] if isinstance(block, dict)]
    text = "".join(str(block.get("text", "")) for block in blocks if block.get("type") == "text")
    calls = [
        {
            "index": index,
            "id": block.get("id"),
            "type": "function",
            "function": {"name": block.get("name"), "arguments": _encode(block.get("input") or {}).decode()},
        }
        for index, block in enumerate(block for block in blocks if block.get("type") == "tool_use")
    ]
    reasons = {
        "end_turn": "stop",
        "max_tokens": "length",
        "tool_use": "tool_calls",
        "refusal": "content_filter",
    }
    usage = answer["usage"] if isinstance(answer.get("usage"), dict) else {}
    cached = usage.get("cache_read_input_tokens") or 0
    prompt = (usage.get("input_tokens") or 0) + cached + (usage.get("cache_creation_input_tokens") or 0)
    output = usage.get("output_tokens") or 0
    return {
        "id": answer.get("id"),
        "model": answer.get("model"),
        "choices": [
            {
                "index": 0,
                "delta": {"content": text, "tool_calls": calls},
                "finish_reason": reasons.get(str(answer.get("stop_reason")), "stop"),
            }
        ],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": output,
            "total_tokens": prompt + output,
            "prompt_tokens_details": {"cached_tokens": cached},
        },
        "copilot_usage": answer.get("copilot_usage"),
    }

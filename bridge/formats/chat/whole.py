"""Chat Completions, unstreamed answer: gather the upstream's stream into one `chat.completion`.

Upstream is always asked to stream (unstreamed answers are capped at some 16 000 tokens there). Text pieces are
joined, tool calls by their index, lists of annotations and log probabilities appended; other members of a delta
keep their last value.
Shape: https://platform.openai.com/docs/api-reference/chat/object
"""

from __future__ import annotations

from typing import Any

import msgspec

from bridge.errors import BridgeError
from bridge.formats.chat.chunks import WHOLE_VALUES, read_chunk
from bridge.formats.chat.errors import write_error
from bridge.formats.chat.following import Following
from bridge.road import Heading
from bridge.sse import data_of

_encode = msgspec.json.Encoder().encode


class Gatherer(Following):
    """A `bridge.road.Road` for an unstreamed answer: `feed` packets, `end()` gives the body."""

    def __init__(self, heading: Heading) -> None:
        super().__init__(heading)
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

    def end(self) -> bytes:
        """The whole answer. Raises BrokenStream when the stream ended without a finish reason and without `[DONE]`."""
        rest = self._splitter.rest
        if rest and not self.done:
            self._frame(rest)
        reason = self._reader.check_end(was_done=self.done)
        if (kept := self._reader.rest()) is not None:
            self._add(kept["choices"][0])
        choice: dict[str, Any] = {"index": 0, "message": self._message(), "finish_reason": reason}
        choice["logprobs"] = {"content": self._logprobs} if self._logprobs else None
        whole = self._reader.chunk([choice])
        whole["object"] = "chat.completion"
        if self._fingerprint is not None:
            whole["system_fingerprint"] = self._fingerprint
        whole["usage"] = self._reader.told_usage
        return _encode(whole)

    def fail(self, error: BridgeError, sentence: str) -> bytes:
        return write_error(error, sentence)

    def keepalive(self) -> bytes:
        """Nothing: an answer that is one body has no place for it."""
        return b""

    def _frame(self, frame: bytes) -> None:
        data = data_of(frame)
        if data is None or self.done:
            return
        if data.strip() == b"[DONE]":
            self.done = True
            return
        whole = self._reader.read(read_chunk(data))
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
            elif name == "function_call" and isinstance(value, dict):
                self._add_legacy_call(value)
            elif name == "role":
                continue
            elif isinstance(value, str) and name not in WHOLE_VALUES:
                self._texts.setdefault(name, []).append(value)
            elif isinstance(value, list):
                self._lists.setdefault(name, []).extend(value)
            else:
                self._values[name] = value

    def _add_calls(self, calls: list[dict[str, Any]]) -> None:
        for call in calls:
            kind, field = ("custom", "input") if "custom" in call else ("function", "arguments")
            if call["index"] >= len(self._calls):
                self._calls.append({"id": call["id"], "type": kind, kind: dict(call[kind])})
                self._arguments.append([])
            self._arguments[call["index"]].append(call[kind][field])

    def _add_legacy_call(self, call: dict[str, Any]) -> None:
        """The one call of a client that still sends `functions`."""
        whole = self._values.setdefault("function_call", {"name": "", "arguments": ""})
        for name in ("name", "arguments"):
            if isinstance(call.get(name), str):
                whole[name] += call[name]

    def _message(self) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": None}
        message |= {name: "".join(parts) for name, parts in self._texts.items()}
        message |= self._lists | self._values
        if self._calls:
            for call, arguments in zip(self._calls, self._arguments, strict=True):
                if call["type"] == "custom":
                    call["custom"]["input"] = "".join(arguments)
                else:
                    call["function"]["arguments"] = "".join(arguments) or "{}"
            message["tool_calls"] = self._calls
        elif message["content"] is None:
            message["content"] = ""
        message.setdefault("refusal", None)
        return message

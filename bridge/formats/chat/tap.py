"""Chat Completions, streamed answer: pass it on with a tap on it, repair the frames that need it.

A frame that is already what a client expects passes as the bytes it came in, with the model's name as it was asked
for; a cheap test on its bytes says so. Any other frame is parsed, repaired and written anew. The end of the answer
(finish reason, usage, `[DONE]`) is held back until `end()`, so that a ledger can be settled before the last byte.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bridge.errors import BridgeError
from bridge.formats.chat.chunks import read_chunk
from bridge.formats.chat.errors import write_error_frame
from bridge.formats.chat.following import Following
from bridge.road import Heading
from bridge.sse import data_of, write_comment, write_data

_encode = msgspec.json.Encoder().encode
_OBJECT = b'"object":"chat.completion.chunk"'
_NO_FINISH = b'"finish_reason":null'
_NEEDS_READING = (
    b'"tool_calls"',
    b'"finish_reason":"',
    b'"usage":{',
    b'"error"',
    b'"reasoning_',
    b'"copilot_',
    b'"choices":[]',
    b'"role"',
)
DONE = b"data: [DONE]\n\n"
KEEPALIVE = write_comment(b"keep-alive")


class StreamTap(Following):
    """A `bridge.road.Road`: `feed` the upstream's packets and send what it returns; at the end send `end()`."""

    def __init__(self, heading: Heading) -> None:
        super().__init__(heading)
        self._include_usage = heading.asked.include_usage
        self._needle: bytes | None = None
        self._model_seen = b""
        self._model_asked = b'"model":' + _encode(heading.model)

    def feed(self, packet: bytes) -> bytes:
        """The bytes for the client that `packet` completes, maybe none. Raises BrokenStream on a frame with no end."""
        out = [piece for frame in self._splitter.feed(packet) if (piece := self._frame(frame))]
        return out[0] if len(out) == 1 else b"".join(out)

    def end(self) -> bytes:
        """Finish chunk, usage chunk when it was asked for, `[DONE]`; a call without arguments gets an empty object.

        Raises BrokenStream when the upstream's body ended without a finish reason and without `[DONE]`.
        """
        rest = self._splitter.rest
        before = self._read(rest) if rest and not self.done else b""
        reason = self._reader.check_end(was_done=self.done)
        parts = [before]
        if (kept := self._reader.rest()) is not None:
            parts.append(write_data(_encode(kept)))
        parts.append(self._chunk([{"index": 0, "delta": self._last_delta(), "finish_reason": reason}]))
        if self._include_usage:
            usage = self._reader.chunk([])
            usage["usage"] = self._reader.told_usage
            parts.append(write_data(_encode(usage)))
        parts.append(DONE)
        return b"".join(parts)

    def fail(self, error: BridgeError, sentence: str) -> bytes:
        return write_error_frame(error, sentence)

    def keepalive(self) -> bytes:
        return KEEPALIVE

    def _last_delta(self) -> dict[str, Any]:
        """An answer without any content still opens with its role."""
        return {} if self._reader.role_sent else {"role": "assistant", "content": ""}

    def _frame(self, frame: bytes) -> bytes:
        if self._needle is not None and self._needle in frame and self._is_complete(frame):
            for mark in _NEEDS_READING:
                if mark in frame:
                    break
            else:
                self._reader.output_bytes += max(0, len(frame) - 180)
                return frame.replace(self._model_seen, self._model_asked, 1)
        return self._read(frame)

    def _is_complete(self, frame: bytes) -> bool:
        return _OBJECT in frame and _NO_FINISH in frame and self._model_seen in frame

    def _read(self, frame: bytes) -> bytes:
        data = data_of(frame)
        if data is None:
            return b""
        if data.strip() == b"[DONE]":
            self.done = True
            self._needle = None  # whatever follows is read, and left out
            return b""
        if self.done:
            return b""
        chunk = read_chunk(data)
        whole = self._reader.read(chunk)
        self._learn(chunk)
        return write_data(_encode(whole)) if whole is not None else b""

    def _learn(self, chunk: dict[str, Any]) -> None:
        """After the first chunk with a name: the bytes by which clean frames of this answer are known."""
        model = chunk.get("model")
        if self._needle is None and self._reader.answer_id and isinstance(model, str) and self._reader.role_sent:
            self._needle = b'"id":' + _encode(self._reader.answer_id)
            self._model_seen = b'"model":' + _encode(model)

    def _chunk(self, choices: list[dict[str, Any]]) -> bytes:
        return write_data(_encode(self._reader.chunk(choices)))

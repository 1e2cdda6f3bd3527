"""Chat Completions, one streamed chunk: what it says, and how it is made whole.

Copilot's chunks differ by model family: without `object`, with several choices for one answer, tool calls that all
have index 0 or start at 1, usage on any chunk. `ChunkReader` takes parsed chunks in order, gives back what a client
of the standard expects and keeps what the ledger needs. Quirk ids in `bridge/QUIRKS.md`: chat-no-object,
chat-split-choices, chat-tool-index, chat-finish, chat-filter-preamble, chat-usage-places, chat-model-name.
Shape: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.errors import BrokenStream
from bridge.json_text import decode_object
from bridge.tally import Tally, read_openai_usage, with_copilot_usage

# Which of several finish reasons of one answer counts: the later in this list.
_STRENGTH = ("stop", "function_call", "tool_calls", "length", "content_filter", "error")


@dataclass(frozen=True, slots=True)
class StreamFailure:
    """An error object that came inside a stream of status 200."""

    message: str
    code: str


class ChunkReader:
    """State of one answer: its id, the numbering of its tool calls, its usage and how it ended.

    A chunk that brings nothing but a role is passed over, the role goes out with the first content: `role_sent`
    therefore says whether the answer has truly begun.
    """

    def __init__(self, model: str, created: int, answer_id: str) -> None:
        self.model = model
        self.created = created
        self.answer_id = ""
        self._spare_id = answer_id
        self.finish: str | None = None
        self.failure: StreamFailure | None = None
        self.usage: dict[str, Any] | None = None
        self.copilot_usage: dict[str, Any] | None = None
        self.output_bytes = 0
        self._calls: dict[str, int] = {}
        self._last_call: int | None = None
        self.role_sent = False

    def read(self, chunk: Mapping[str, Any]) -> dict[str, Any] | None:
        """The chunk as a client may see it, without finish reason and usage; None when nothing is left of it."""
        self._note(chunk)
        choices = chunk.get("choices")
        deltas = (
            [self._delta(choice) for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
        )
        delta = _joined([delta for delta in deltas if delta])
        extra = _extra_of_choice(choices)
        if not delta and not extra:
            return None
        if not self.role_sent:
            self.role_sent = True
            delta = {"role": "assistant", **delta}
        return self.chunk([{"index": 0, "delta": delta, "finish_reason": None, **extra}], chunk)

    def chunk(self, choices: list[dict[str, Any]], source: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A chunk in this answer's name around `choices`."""
        whole: dict[str, Any] = {
            "id": self.answer_id or self._spare_id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
        }
        if source is not None and isinstance(source.get("system_fingerprint"), str):
            whole["system_fingerprint"] = source["system_fingerprint"]
        whole["choices"] = choices
        return whole

    @property
    def finish_reason(self) -> str | None:
        """How the answer ended; calls that were streamed make `tool_calls` of a missing or wrong `stop`."""
        if self._calls and self.finish in (None, "stop"):
            return "tool_calls"
        return self.finish

    @property
    def tally(self) -> Tally:
        tally = read_openai_usage(self.usage or {})
        return with_copilot_usage(tally, self.copilot_usage) if self.copilot_usage is not None else tally

    def _note(self, chunk: Mapping[str, Any]) -> None:
        error = chunk.get("error")
        if error and not chunk.get("choices"):
            fields = error if isinstance(error, dict) else {"message": str(error)}
            self.failure = StreamFailure(
                str(fields.get("message") or ""), str(fields.get("code") or fields.get("type") or "")
            )
        answer_id = chunk.get("id")
        if not self.answer_id and not self.role_sent and isinstance(answer_id, str):
            self.answer_id = answer_id
        created = chunk.get("created")
        if isinstance(created, int) and created > 0 and not self.role_sent:
            self.created = created
        usage = chunk.get("usage")
        if isinstance(usage, dict) and (self.usage is None or _says_something(usage)):
            self.usage = usage
        reported = chunk.get("copilot_usage")
        if isinstance(reported, dict):
            self.copilot_usage = reported

    def _delta(self, choice: dict[str, Any]) -> dict[str, Any]:
        finish = choice.get("finish_reason")
        if isinstance(finish, str) and finish:
            self.finish = max(self.finish or "stop", finish, key=_strength)
        source = choice.get("delta") or choice.get("message")
        if not isinstance(source, dict):
            return {}
        delta = {
            name: value for name, value in source.items() if value is not None and name not in ("role", "tool_calls")
        }
        if delta.get("content") == "":
            del delta["content"]
        if isinstance(delta.get("reasoning_text"), str):
            delta.setdefault("reasoning_content", delta["reasoning_text"])
        calls = source.get("tool_calls")
        if isinstance(calls, list) and calls:
            delta["tool_calls"] = [self._call(call) for call in calls if isinstance(call, dict)]
        for text in (delta.get("content"), delta.get("reasoning_text")):
            self.output_bytes += len(text) if isinstance(text, str) else 0
        return delta

    def _call(self, call: dict[str, Any]) -> dict[str, Any]:
        """Calls are told apart by id; a delta without one belongs to the call before it."""
        call_id = call.get("id")
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        arguments = function.get("arguments")
        text = arguments if isinstance(arguments, str) else ""
        self.output_bytes += len(text)
        is_new = isinstance(call_id, str) and call_id != "" and call_id not in self._calls
        if not is_new and (self._last_call is not None):
            index = self._calls.get(call_id, self._last_call) if isinstance(call_id, str) else self._last_call
            return {"index": index, "function": {"arguments": text}}
        index = len(self._calls)
        name = call_id if isinstance(call_id, str) and call_id else f"call_{self._spare_id[-24:]}_{index}"
        self._calls[name] = self._last_call = index
        return {
            "index": index,
            "id": name,
            "type": "function",
            "function": {"name": function.get("name") or "", "arguments": text},
        }


def _says_something(usage: Mapping[str, Any]) -> bool:
    return any(isinstance(count, int | float) and count > 0 for count in usage.values())


def read_chunk(data: bytes) -> dict[str, Any]:
    """The JSON object of a frame. Raises BrokenStream when it is none."""
    chunk = decode_object(data)
    if chunk is None:
        raise BrokenStream("The upstream sent a piece that is not a JSON object. Send the request again.")
    return chunk


def _strength(reason: str) -> int:
    return _STRENGTH.index(reason) if reason in _STRENGTH else 0


def _joined(deltas: list[dict[str, Any]]) -> dict[str, Any]:
    """Deltas of several choices are parts of one answer."""
    if len(deltas) == 1:
        return deltas[0]
    whole: dict[str, Any] = {}
    for delta in deltas:
        for name, value in delta.items():
            if name in whole and isinstance(value, str | list) and type(whole[name]) is type(value):
                whole[name] = whole[name] + value
            else:
                whole[name] = value
    return whole


def _extra_of_choice(choices: object) -> dict[str, Any]:
    """What stands beside the delta and has a meaning to clients of the standard: log probabilities."""
    if not isinstance(choices, list):
        return {}
    for choice in choices:
        if isinstance(choice, dict) and isinstance(choice.get("logprobs"), dict):
            return {"logprobs": choice["logprobs"]}
    return {}

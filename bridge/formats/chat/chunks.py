"""Chat Completions, one streamed chunk: what it says, and how it is made whole.

Copilot's chunks differ by model family: without `object`, with several choices for one answer, tool calls that all
have index 0 or start at 1, usage on any chunk. `ChunkReader` takes parsed chunks in order, gives back what a client
of the standard expects and keeps what the ledger needs. Quirk ids in `bridge/QUIRKS.md`: chat-no-object,
chat-split-choices, chat-tool-index, chat-finish, chat-filter-preamble, chat-usage-places, chat-model-name.
Shape: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from bridge.errors import BrokenStream
from bridge.events import Failed
from bridge.formats.chat.calls import CallNumbers
from bridge.formats.chat.seal_ids import Sealer, needs_seal
from bridge.formats.chat.usage import write_usage
from bridge.json_text import decode_object
from bridge.tally import Tally, read_openai_usage, with_copilot_usage

# Which of several finish reasons of one answer counts: the later in this list.
_STRENGTH = ("stop", "function_call", "tool_calls", "length", "content_filter", "error")
_NOTHING: Mapping[str, Any] = MappingProxyType({})
# These are one thing each time they come; every other text of a delta is a piece of a longer one.
WHOLE_VALUES = frozenset({"reasoning_opaque", "signature", "cot_id"})


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
        self.failure: Failed | None = None
        self.usage: dict[str, Any] | None = None
        self.copilot_usage: dict[str, Any] | None = None
        self.output_bytes = 0
        self.calls = CallNumbers(answer_id)
        self.role_sent = False
        self._sealer: Sealer | None = None

    def read(self, chunk: Mapping[str, Any]) -> dict[str, Any] | None:
        """The chunk as a client may see it, without finish reason and usage; None when nothing is left of it."""
        delta, extra = self.take(chunk)
        model = chunk.get("model")
        if self._sealer is None and isinstance(model, str) and needs_seal(model):
            self._sealer = Sealer()
        if self._sealer is not None:
            delta = self._sealer.seal(delta)
        return self._told(delta, extra, chunk)

    def rest(self) -> dict[str, Any] | None:
        """What was kept back, at the end of the answer; and what must be said of calls that came without arguments."""
        waiting = self._sealer.waiting() if self._sealer is not None else []
        calls = waiting + [{"index": index, "function": {"arguments": "{}"}} for index in self.calls.bare]
        return self._told({"tool_calls": calls}, {}, {}) if calls else None

    def take(self, chunk: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the chunk adds to the answer: one delta of all its choices, and what stands beside it."""
        self._note(chunk)
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            return {}, {}
        deltas = [self._delta(choice) for choice in choices if isinstance(choice, dict)]
        return _joined([delta for delta in deltas if delta]), _extra_of_choice(choices)

    def chunk(self, choices: list[dict[str, Any]], source: Mapping[str, Any] = _NOTHING) -> dict[str, Any]:
        """A chunk in this answer's name around `choices`."""
        whole: dict[str, Any] = {
            "id": self.answer_id or self._spare_id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
        }
        if isinstance(source.get("system_fingerprint"), str):
            whole["system_fingerprint"] = source["system_fingerprint"]
        whole["choices"] = choices
        return whole

    def check_end(self, *, was_done: bool) -> str:
        """The finish reason for the client. Raises BrokenStream when the answer has no end, or was given up.

        A clean end would pass a truncated answer off as a whole one.
        """
        if self.finish is None and not was_done:
            raise BrokenStream("The upstream's answer ended in the middle. Send the request again.")
        reason = self.finish_reason
        if reason == "error":
            raise BrokenStream("The upstream gave the answer up in the middle. Send the request again.")
        return reason or "stop"

    @property
    def finish_reason(self) -> str | None:
        """How the answer ended; calls that were streamed make `tool_calls` of a missing or wrong `stop`."""
        if self.calls and self.finish in (None, "stop"):
            return "tool_calls"
        return self.finish

    @property
    def counted(self) -> bool:
        """Zeros that come with the first chunks of some models tell nothing yet."""
        return self.copilot_usage is not None or (self.usage is not None and _says_something(self.usage))

    @property
    def tally(self) -> Tally:
        tally = read_openai_usage(self.usage or {})
        return with_copilot_usage(tally, self.copilot_usage) if self.copilot_usage is not None else tally

    @property
    def told_usage(self) -> dict[str, Any]:
        """Usage for the client: as the upstream told it where that is what it billed, else with the billed counts.

        Zeros when it never told: clients that ask for usage wait for it, and sum up what is there.
        """
        tally, told = self.tally, self.usage or {}
        counts = (tally.input + tally.cached + tally.cache_write, tally.output)
        agrees = (*counts, sum(counts)) == tuple(told.get(f"{of}_tokens") for of in ("prompt", "completion", "total"))
        return told if agrees and read_openai_usage(told).cached == tally.cached else write_usage(tally, told)

    def _told(self, delta: dict[str, Any], extra: dict[str, Any], source: Mapping[str, Any]) -> dict[str, Any] | None:
        if not delta and not extra:
            return None
        if not self.role_sent:
            self.role_sent = True
            delta = {"role": "assistant", **delta}
        return self.chunk([{"index": 0, "delta": delta, "finish_reason": None, **extra}], source)

    def _note(self, chunk: Mapping[str, Any]) -> None:
        error = chunk.get("error")
        if error and not chunk.get("choices"):
            fields = error if isinstance(error, dict) else {"message": str(error)}
            self.failure = Failed(str(fields.get("message") or ""), str(fields.get("code") or fields.get("type") or ""))
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
        if not isinstance(source, dict) or source.get("role") == "function":
            return {}  # role `function`: references that a skill of GitHub's own found, no words of the answer
        delta = {
            name: value for name, value in source.items() if value is not None and name not in ("role", "tool_calls")
        }
        if delta.get("content") == "":
            del delta["content"]
        if not isinstance(delta.get("annotations", []), list):
            del delta["annotations"]  # findings about code, doubled from `copilot_annotations`; clients want a list
        if isinstance(delta.get("reasoning_text"), str):
            delta.setdefault("reasoning_content", delta["reasoning_text"])
        calls = source.get("tool_calls")
        if isinstance(calls, list) and calls:
            delta["tool_calls"] = [self._call(call) for call in calls if isinstance(call, dict)]
        for text in (delta.get("content"), delta.get("reasoning_text")):
            self.output_bytes += len(text) if isinstance(text, str) else 0
        return delta

    def _call(self, call: dict[str, Any]) -> dict[str, Any]:
        delta, size = self.calls.read(call)
        self.output_bytes += size
        return delta


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
            grows = name in whole and isinstance(value, str | list) and name not in WHOLE_VALUES
            if grows and type(whole[name]) is type(value):
                whole[name] = whole[name] + value
            else:
                whole[name] = value
    return whole


def _extra_of_choice(choices: list[Any]) -> dict[str, Any]:
    """What stands beside the delta and has a meaning to clients of the standard: log probabilities."""
    for choice in choices:
        if isinstance(choice, dict) and isinstance(choice.get("logprobs"), dict):
            return {"logprobs": choice["logprobs"]}
    return {}

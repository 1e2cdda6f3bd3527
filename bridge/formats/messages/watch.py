"""Messages, what a verbatim answer tells beside its content: its head, why it ended, what it used, and errors."""

from __future__ import annotations

from typing import Any

from bridge.errors import BrokenStream
from bridge.events import Failed
from bridge.formats.messages.frames import Event, read_failure
from bridge.formats.messages.stops import read_stop, write_stop
from bridge.formats.messages.usage import Meter, write_usage
from bridge.road import Heading
from bridge.tally import Tally

# What Copilot adds for itself, and no client of Anthropic's knows. Quirk messages-copilot-members.
_FOREIGN = ("copilot_usage", "copilot_annotations", "amazon-bedrock-invocationMetrics")

_DELTA = ("stop_reason", "stop_sequence", "stop_details", "container")
_BESIDE = ("context_management",)


class Watch:
    """`note` the events that are not content; the members tell what they said so far."""

    def __init__(self, heading: Heading) -> None:
        self.meter = Meter()
        self.done = False
        self.failure: Failed | None = None
        self.stop_reason = ""
        self.has_calls = False
        self._heading = heading
        self._message: dict[str, Any] = {}
        self._end: dict[str, Any] = {}
        self._delta: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}

    def note(self, event: Event) -> None:
        match event["type"]:
            case "message_start" if not self._message and isinstance(event.get("message"), dict):
                self._message = without_foreign(event["message"])
                self.meter.note_start(self._message.get("usage"))
            case "message_delta":
                self._note_delta(event)
            case "message_stop":
                self.meter.note_end(None, event.get("copilot_usage"))
                self.done = True
            case "error":
                self.failure = read_failure(event)

    @property
    def message(self) -> dict[str, Any]:
        """The answer's head under the name of the model that was asked for."""
        told = self._message.get("usage")
        return {
            "id": f"msg_{self._heading.id}",
            **self._message,
            "type": "message",
            "role": "assistant",
            "model": self._heading.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**write_usage(self._tally), **(told if isinstance(told, dict) else {})},
        }

    def ending(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """The last `delta`, `usage` and what else stands beside them. Raises BrokenStream when the end never came.

        The counts are those that are billed. Quirk messages-usage-places.
        """
        if self.failure is not None or not (self.done or self.stop_reason):
            raise BrokenStream("The upstream's answer ended in the middle. Send the request again.")
        reason = self.stop_reason
        if reason in ("", "end_turn", "tool_use"):
            reason = write_stop(read_stop(reason, has_calls=self.has_calls), has_calls=self.has_calls)
        delta = {"stop_sequence": None, **self._delta, "stop_reason": reason}
        return delta, {**self._usage, **write_usage(self._tally)}, self._end

    @property
    def _tally(self) -> Tally:
        tally = self.meter.tally
        if tally.input or tally.cached or tally.cache_write or self.meter.counted:
            return tally
        return Tally(input=self._heading.estimate, output=tally.output)

    def _note_delta(self, event: Event) -> None:
        usage, delta = event.get("usage"), event.get("delta")
        self.meter.note_end(usage, event.get("copilot_usage"))
        self._usage |= usage if isinstance(usage, dict) else {}
        self._end |= {name: event[name] for name in _BESIDE if isinstance(event.get(name), dict)}
        if not isinstance(delta, dict):
            return
        self._delta |= {name: delta[name] for name in _DELTA if name in delta}
        if isinstance(delta.get("stop_reason"), str):
            self.stop_reason = delta["stop_reason"]


def without_foreign(event: Event) -> Event:
    return {name: value for name, value in event.items() if name not in _FOREIGN}

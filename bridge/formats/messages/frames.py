"""Messages, one event of a streamed answer, read from its frame; errors and whole bodies as such events.

    message_start  (content_block_start  content_block_delta*  content_block_stop)*  message_delta  message_stop

Shape: https://docs.claude.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.errors import BrokenStream
from bridge.events import Failed
from bridge.json_text import decode_object
from bridge.sse import data_of, fields_of

Event = dict[str, Any]


def read_event(frame: bytes) -> Event | None:
    """The event with its `type`; None for comments and `[DONE]`. Raises BrokenStream when it is no JSON object."""
    data = data_of(frame)
    if data is None or not data.strip() or data.strip() == b"[DONE]":
        return None
    event = decode_object(data)
    if event is None:
        raise BrokenStream("The upstream sent a piece that is not a JSON object. Send the request again.")
    if not isinstance(event.get("type"), str):
        event["type"] = "error" if event.get("error") else _named(frame)
    return event


def read_failure(event: Event) -> Failed:
    """What an `error` event says. Quirk messages-wrapped-errors: an error may hold another's JSON as its message."""
    error = event.get("error")
    fields = error if isinstance(error, dict) else {"message": error or event.get("message")}
    message = str(fields.get("message") or "")
    inner = decode_object(message.encode("utf-8", "replace")) if message.lstrip().startswith("{") else None
    if inner is not None and isinstance(inner.get("error"), dict):
        fields = inner["error"]
        message = str(fields.get("message") or "")
    return Failed(message, str(fields.get("code") or fields.get("type") or ""))


def events_in_body(body: bytes) -> Iterator[Event]:
    """An unstreamed answer as the events of a stream. Raises BrokenStream when it is neither answer nor error."""
    answer = decode_object(body)
    if answer is None or not (isinstance(answer.get("content"), list) or answer.get("error")):
        raise BrokenStream("The upstream's answer is not a message. Send the request again.")
    if answer.get("error"):
        yield {"type": "error", "error": answer["error"]}
        return
    later = ("content", "usage", "copilot_usage", "context_management")
    head = {name: value for name, value in answer.items() if name not in later}
    yield {"type": "message_start", "message": {**head, "stop_reason": None, "stop_sequence": None, "content": []}}
    for index, block in enumerate(answer["content"]):
        if isinstance(block, dict):
            yield {"type": "content_block_start", "index": index, "content_block": block}
            yield {"type": "content_block_stop", "index": index}
    delta = {name: answer.get(name) for name in ("stop_reason", "stop_sequence", "stop_details")}
    end: Event = {"type": "message_delta", "delta": delta}
    yield end | {name: answer[name] for name in ("usage", "copilot_usage", "context_management") if name in answer}
    yield {"type": "message_stop"}


def _named(frame: bytes) -> str:
    """The frame's own `event` line, for data that does not say its type."""
    return next((value.decode("utf-8", "replace") for name, value in fields_of(frame) if name == b"event"), "")

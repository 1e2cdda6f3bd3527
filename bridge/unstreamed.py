"""A whole body where a stream was asked for, told as the stream it should have been.

The upstream answers so now and then: to a request it refuses late, or from a backend that cannot stream. Nothing of
the body is lost on the way, its bill included.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bridge.dialect import Dialect
from bridge.errors import BrokenStream
from bridge.formats.chat.verbatim import frames_of_body as chat_frames
from bridge.json_text import decode_object

_encode = msgspec.json.Encoder().encode


def frames_of(body: bytes, upstream: Dialect) -> bytes:
    """The frames of a whole answer. Raises BrokenStream when it is none."""
    if upstream is Dialect.CHAT:
        return chat_frames(body)
    answer = decode_object(body)
    if answer is None:
        raise BrokenStream("The upstream's answer is not a JSON object. Send the request again.")
    if isinstance(answer.get("error"), dict):
        return _frame({"type": "error", "error": answer["error"], **answer["error"]})
    events = _message(answer) if upstream is Dialect.MESSAGES else _response(answer)
    return b"".join([_frame(event) for event in events])


def _message(answer: dict[str, Any]) -> list[dict[str, Any]]:
    blocks = answer.get("content")
    if not isinstance(blocks, list):
        raise BrokenStream("The upstream's answer has no content. Send the request again.")
    beside = {name: answer.pop(name) for name in ("stop_reason", "stop_sequence", "stop_details") if name in answer}
    end: dict[str, Any] = {"type": "message_delta", "delta": beside, "usage": answer.get("usage") or {}}
    if "copilot_usage" in answer:
        end["copilot_usage"] = answer.pop("copilot_usage")
    start = {**answer, "content": [], "stop_reason": None, "stop_sequence": None}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for index, block in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events.append({"type": "content_block_stop", "index": index})
    return [*events, end, {"type": "message_stop"}]


def _response(answer: dict[str, Any]) -> list[dict[str, Any]]:
    if not isinstance(answer.get("output"), list):
        raise BrokenStream("The upstream's answer has no output. Send the request again.")
    status = answer.get("status")
    kind = f"response.{status}" if status in ("completed", "incomplete", "failed") else "response.completed"
    end: dict[str, Any] = {"type": kind, "response": answer}
    if "copilot_usage" in answer:
        end["copilot_usage"] = answer.pop("copilot_usage")
    opened = {**answer, "output": [], "status": "in_progress", "usage": None}
    # The items are read out of the terminal event.
    return [{"type": "response.created", "response": opened}, end]


def _frame(event: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (str(event["type"]).encode(), _encode(event))

"""What even a verbatim road promises when the upstream sends nonsense: the outer shape of its dialect.

The frames are whole, each that is JSON stands under the right event line, numbers run on, and the end is the dialect's
own end or its own error. Text that is no JSON may pass: a clean-looking frame goes on unread.
"""

from __future__ import annotations

import json
from typing import Any

from bridge.dialect import Dialect
from tests.dialects.failures import messages_error, openai_error
from tests.dialects.frames import Frame, need, read_frames

_ENDS = {
    Dialect.RESPONSES: ("response.completed", "response.incomplete", "response.failed"),
    Dialect.MESSAGES: ("message_stop",),
}
_WHOLE = {Dialect.CHAT: "choices", Dialect.RESPONSES: "output", Dialect.MESSAGES: "content"}


def check_loosely(dialect: Dialect, body: bytes, *, is_stream: bool) -> None:
    """A whole answer, or a stream that ended well."""
    if not is_stream:
        whole = _object(body.decode())
        assert whole is not None, f"not a JSON object: {body[:300]!r}"
        assert isinstance(whole.get(_WHOLE[dialect]), list), f"no {_WHOLE[dialect]}: {body[:300]!r}"
        assert whole.get("model") == "asked", f"the model is {whole.get('model')!r}"
        return
    frames = _frames(body)
    assert frames, "the stream says nothing"
    if dialect is Dialect.CHAT:
        assert frames.pop().data == "[DONE]", "the stream does not end with [DONE]"
    events = _events(dialect, frames)
    if dialect is not Dialect.CHAT:
        ends = [event["type"] for event in events if event["type"] in _ENDS[dialect]]
        assert ends == [events[-1]["type"]], f"the ends are {ends}, the last event {events[-1]['type']!r}"
        return
    finishes = [choice["finish_reason"] for choice in _choices(events) if choice.get("finish_reason")]
    assert len(finishes) == 1, f"the finish reasons are {finishes}"


def check_loosely_failed(dialect: Dialect, body: bytes, sentence: str) -> None:
    """A stream that ended in the dialect's own error."""
    events = _events(dialect, _frames(body))
    last = events[-1]
    match dialect:
        case Dialect.CHAT:
            assert openai_error(last).message == sentence
        case Dialect.MESSAGES:
            assert messages_error(last).message == sentence
        case Dialect.RESPONSES:
            assert last["type"] == "response.failed", f"the last event is {last['type']!r}"
            assert last["response"]["error"]["message"] == sentence
    names = [event.get("type") for event in events[:-1]]
    ends = [name for name in names if name in _ENDS.get(dialect, ())]
    assert not ends, f"an end before the error: {names}"


def _frames(body: bytes) -> list[Frame]:
    readable = body.decode("utf-8", "replace").encode()
    return [frame for frame in read_frames(readable, strict=False) if frame.data is not None]


def _events(dialect: Dialect, frames: list[Frame]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    for number, frame in enumerate(frames):
        event = _object(frame.data or "")
        if event is None:
            continue
        events.append(event)
        if dialect is Dialect.CHAT:
            assert frame.event == "", f"Chat has no event lines: {frame.event!r}"
            continue
        kind = need(event, "type", str, "event")
        assert frame.event == kind, f"the event line says {frame.event!r}, the type is {kind!r}"
        if dialect is Dialect.RESPONSES:
            assert event.get("sequence_number") == number, f"the number {event.get('sequence_number')!r} at {number}"
    return events


def _choices(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    listed = [event["choices"] for event in events if isinstance(event.get("choices"), list)]
    return [choice for choices in listed for choice in choices if isinstance(choice, dict)]


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None

"""Signs of life: events that say nothing, for clients that give up on a stream in which nothing happens.

Quirk messages-silence: Claude Code ends a stream after five minutes without an event and asks again, unstreamed and
billed anew; neither comments nor `ping` count for it. What counts is a delta of the open block, if only an empty one,
and outside of a block a `message_delta` that gives no reason to stop.
"""

from __future__ import annotations

# Behind its signature a thinking block grows no more.
SEALED = "sealed"
_EMPTY = {
    "text": b'{"type":"text_delta","text":""}',
    "thinking": b'{"type":"thinking_delta","thinking":""}',
    "tool_use": b'{"type":"input_json_delta","partial_json":""}',
}
_DELTA = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":%s}\n\n'
_NOTHING_YET = (
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":null,"stop_sequence":null},'
    b'"usage":{"output_tokens":0}}\n\n'
)
_PING = b'event: ping\ndata: {"type":"ping"}\n\n'


def sign_of_life(index: int, kind: str | None) -> bytes:
    """An event for a silence behind `message_start`: in the open block `index` of type `kind`, or outside (None)."""
    if kind is None:
        return _NOTHING_YET
    delta = _EMPTY.get(kind)
    return _PING if delta is None else _DELTA % (index, delta)

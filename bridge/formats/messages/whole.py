"""Messages, a whole reply written as one unstreamed answer.

Shape: https://docs.claude.com/en/api/messages
"""

from __future__ import annotations

import msgspec

from bridge.assembly import Reply, ReplyPart
from bridge.call_ids import Distinct
from bridge.events import Stop
from bridge.formats.messages.blocks_out import blocks_of
from bridge.formats.messages.stops import write_stop
from bridge.formats.messages.usage import write_usage
from bridge.parts import Call, Reasoning, Refusal, Search
from bridge.road import Heading
from bridge.tally import Tally


def write_reply(reply: Reply, heading: Heading) -> bytes:
    """The body of an unstreamed answer."""
    has_calls = any(isinstance(part, Call) for part in reply.parts)
    has_refusal = any(isinstance(part, Refusal) for part in reply.parts)
    searches = sum(isinstance(part, Search) for part in reply.parts)
    tally, ids = reply.tally, Distinct()
    if not reply.counted and not tally.input:
        tally = Tally(input=heading.estimate, output=tally.output)
    return msgspec.json.encode(
        {
            "id": f"msg_{heading.id}",
            "type": "message",
            "role": "assistant",
            "model": heading.model,
            "content": [block for part in _shown(reply.parts) for block in blocks_of(part, ids)],
            "stop_reason": write_stop(reply.stop, has_calls=has_calls, has_refusal=has_refusal),
            "stop_sequence": reply.sequence if reply.stop is Stop.SEQUENCE else None,
            "usage": write_usage(tally, searches),
        }
    )


def _shown(parts: tuple[ReplyPart, ...]) -> tuple[ReplyPart, ...]:
    """Quirk messages-last-block: reasoning that is a seal and no words is left out behind everything else."""
    shown = len(parts)
    while shown and _is_mere_seal(parts[shown - 1]):
        shown -= 1
    return parts[:shown] if shown else parts


def _is_mere_seal(part: ReplyPart) -> bool:
    return isinstance(part, Reasoning) and part.seal is not None and not part.text

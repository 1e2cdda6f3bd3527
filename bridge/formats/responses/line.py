"""The line of events that goes to a caller: one sequence number each, the type in the JSON and in the `event:` line."""

from __future__ import annotations

from typing import Any

from bridge.formats.responses.frames import write_event

KEEPALIVE = "keepalive"


class Line:
    """Writes events; `sequence` is the number of the next one."""

    def __init__(self, sequence: int = 0) -> None:
        self.sequence = sequence

    def event(self, kind: str, **fields: Any) -> bytes:
        numbered = {"type": kind, "sequence_number": self.sequence, **fields}
        self.sequence += 1
        return write_event(kind, numbered)

    def grown(self, head: bytes, text: bytes) -> bytes:
        """A delta: `head` is all of the frame up to the text's JSON, see `head_of`."""
        frame = b'%b%b,"sequence_number":%d}\n\n' % (head, text, self.sequence)
        self.sequence += 1
        return frame


def head_of(kind: str, item_id: str, output_index: int, more: str = "") -> bytes:
    """The start of the delta events of one part; `more` are further members with their commas."""
    return (
        f'event: {kind}\ndata: {{"type":"{kind}","item_id":"{item_id}","output_index":{output_index},{more}"delta":'
    ).encode()

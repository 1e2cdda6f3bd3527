"""Chat Completions, what a road of this format tells of its answer: the reader of its chunks knows all of it."""

from __future__ import annotations

from bridge.events import Failed
from bridge.formats.chat.chunks import ChunkReader
from bridge.road import Heading
from bridge.sse import FrameSplitter
from bridge.tally import Tally


class Following:
    """The half of a `bridge.road.Road` that a stream and a whole answer have in common."""

    def __init__(self, heading: Heading) -> None:
        self._reader = ChunkReader(heading.model, heading.created, f"chatcmpl-{heading.id}")
        self._splitter = FrameSplitter()
        self.done = False

    @property
    def begun(self) -> bool:
        return self._reader.role_sent

    @property
    def failure(self) -> Failed | None:
        return self._reader.failure

    @property
    def tally(self) -> Tally:
        return self._reader.tally

    @property
    def counted(self) -> bool:
        return self._reader.counted

    @property
    def output_bytes(self) -> int:
        return self._reader.output_bytes

    @property
    def stop_reason(self) -> str:
        return self._reader.finish_reason or ""

    @property
    def dropped(self) -> tuple[str, ...]:
        return ()

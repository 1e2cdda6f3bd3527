"""Messages, what a verbatim road tells of its answer: the watch on its events knows all of it."""

from __future__ import annotations

from bridge.events import Failed
from bridge.formats.messages.watch import Watch
from bridge.road import Heading
from bridge.sse import FrameSplitter
from bridge.tally import Tally


class Watching:
    """The half of a `bridge.road.Road` that a stream and a whole answer have in common."""

    def __init__(self, heading: Heading) -> None:
        self._watch = Watch(heading)
        self._splitter = FrameSplitter()
        self.output_bytes = 0

    @property
    def done(self) -> bool:
        return self._watch.done

    @property
    def failure(self) -> Failed | None:
        return self._watch.failure

    @property
    def tally(self) -> Tally:
        return self._watch.meter.tally

    @property
    def counted(self) -> bool:
        return self._watch.meter.counted

    @property
    def stop_reason(self) -> str:
        return self._watch.stop_reason

    @property
    def dropped(self) -> tuple[str, ...]:
        return ()

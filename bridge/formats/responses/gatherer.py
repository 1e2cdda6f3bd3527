"""The reply of a model that speaks Responses, for a caller who does, unstreamed: the final response object alone."""

from __future__ import annotations

from bridge.errors import BridgeError
from bridge.events import Failed
from bridge.formats.responses.errors import write_error
from bridge.formats.responses.tap import StreamTap
from bridge.road import Heading
from bridge.tally import Tally


class Gatherer:
    """Fulfils bridge.road.Road for an unstreamed answer. `response_object` is what `end()` returned."""

    def __init__(self, heading: Heading) -> None:
        self._tap = StreamTap(heading)

    @property
    def done(self) -> bool:
        return self._tap.done

    @property
    def begun(self) -> bool:
        return self._tap.begun

    @property
    def failure(self) -> Failed | None:
        return self._tap.failure

    @property
    def tally(self) -> Tally:
        return self._tap.tally

    @property
    def counted(self) -> bool:
        return self._tap.counted

    @property
    def output_bytes(self) -> int:
        return self._tap.output_bytes

    @property
    def stop_reason(self) -> str:
        return self._tap.stop_reason

    @property
    def dropped(self) -> tuple[str, ...]:
        return self._tap.dropped

    @property
    def response_object(self) -> bytes:
        return self._tap.response_object

    def feed(self, packet: bytes) -> bytes:
        self._tap.feed(packet)
        return b""

    def end(self) -> bytes:
        self._tap.end()
        return self._tap.response_object

    def fail(self, error: BridgeError, sentence: str) -> bytes:
        return write_error(error, sentence)

    def keepalive(self) -> bytes:
        """Nothing: an answer that is one body has no place for it."""
        return b""

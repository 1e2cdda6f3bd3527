"""Road: the way of one reply from the upstream's packets to the bytes for the caller.

    feed(packet)*  end()        the answer is whole
    feed(packet)*  fail(error)  it broke off behind a sent head

Nothing goes out before the answer has truly begun (its first content), so that a failed try can be repeated; and its
end is held back until `end()`, so that a ledger can be settled before the last byte. A road for an unstreamed answer
returns nothing from `feed` and the whole body from `end()`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bridge.asked import Asked
from bridge.errors import BridgeError
from bridge.events import Failed
from bridge.tally import Tally


@dataclass(frozen=True, slots=True)
class Heading:
    """What a reply is written under.

    `id` is the request's own id, 32 hexadecimal digits, out of which every dialect makes its ids; `created` is in
    seconds since 1970; `estimate` is the prompt's size in tokens as guessed here, told where a dialect must say it
    before the upstream does. `started` is the number of events that were sent into a silence before this road began:
    the first of them opened the reply, which must not be done again.
    """

    asked: Asked
    id: str
    created: int
    estimate: int = 0
    started: int = 0

    @property
    def model(self) -> str:
        """The model's name as it was asked for."""
        return self.asked.model


class Road(Protocol):
    @property
    def done(self) -> bool:
        """The upstream said everything; what it still sends is of no interest."""

    @property
    def begun(self) -> bool:
        """Content has come: the request must not be sent again."""

    @property
    def failure(self) -> Failed | None:
        """The upstream said an error inside its stream."""

    @property
    def tally(self) -> Tally:
        """What the answer used, as far as the upstream told."""

    @property
    def counted(self) -> bool:
        """Whether the upstream told it at all."""

    @property
    def output_bytes(self) -> int:
        """The size of the content that came, for a guess when nothing was told."""

    @property
    def stop_reason(self) -> str:
        """Why the answer ended, in the upstream's own word; empty while it has not."""

    @property
    def dropped(self) -> tuple[str, ...]:
        """What of the reply the caller's dialect could not carry."""

    def feed(self, packet: bytes) -> bytes:
        """The bytes for the caller that `packet` completes, maybe none. Raises BrokenStream on what is no stream."""

    def end(self) -> bytes:
        """The last bytes. Raises BrokenStream when the upstream's answer ended in the middle."""

    def fail(self, error: BridgeError, sentence: str) -> bytes:
        """The dialect's own error event, the last thing in a stream that broke off."""

    def keepalive(self) -> bytes:
        """What to send into a silence: something that client programs count as a sign of life.

        It may open the reply (`Heading.started` tells the next try so), for comments alone do not keep Claude Code and
        Codex from giving up after five minutes.
        """

"""What a client has in its hands at the end: the answer that a stream or a body told, whatever the dialect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bridge.tally import Tally


@dataclass(frozen=True, slots=True)
class Called:
    """`kind` is `function` or `custom`; `arguments` are text as the wire joined it."""

    id: str
    name: str
    arguments: str
    kind: str = "function"
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens as the dialect told them; `prompt` is all that went in, None is what was not told."""

    prompt: int
    output: int
    cached: int | None = None
    written: int | None = None
    reasoning: int | None = None

    def check(self, tally: Tally) -> None:
        """Asserts that a client was told what is in `tally`."""
        assert self.prompt == tally.input + tally.cached + tally.cache_write, (self, tally)
        assert self.output == tally.output, (self, tally)
        assert (self.cached or 0) == tally.cached, (self, tally)
        assert self.written in (None, tally.cache_write), (self, tally)
        assert self.reasoning in (None, tally.reasoning), (self, tally)


@dataclass(slots=True)
class Answer:
    """`whole` is the object that the unstreamed answer would be, as far as the dialect's own clients add it up.

    `stop` is the dialect's own word; `reasonings` are the texts of reasoning parts, `seals` what came with them;
    `searches` are queries with the addresses found; `events` are the stream's JSON objects in order.
    """

    id: str = ""
    model: str = ""
    stop: str = ""
    sequence: str | None = None
    texts: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    reasonings: list[str] = field(default_factory=list)
    seals: list[str] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)
    searches: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    compactions: list[str] = field(default_factory=list)
    citations: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)
    counts: Counts | None = None
    whole: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    comments: int = 0
    pings: int = 0

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def reasoning(self) -> str:
        return "".join(self.reasonings)


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as the dialect says it; `events` are what came before it in a stream."""

    message: str
    type: str = ""
    code: str = ""
    param: str | None = None
    request_id: str = ""
    events: tuple[dict[str, Any], ...] = ()

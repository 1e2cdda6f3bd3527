"""What the simulated models remember between requests: prompt prefixes they have cached, and faults already served."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.simulator.scenario import Fault, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable

_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a prompt in the order the model reads it; `breakpoint` marks the end of a cacheable prefix."""

    text: str
    tokens: int
    breakpoint: bool = False


@dataclass(slots=True)
class Memory:
    """One per world. Content-addressed and per account and model, as the real cache is."""

    _prefixes: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    _served: dict[str, int] = field(default_factory=dict)

    def cached(self, owner: str, segments: Iterable[Segment], *, marked: bool, least: int) -> tuple[int, int]:
        """How many tokens are read from the cache and how many written to it; remembers this prompt.

        `marked` limits the cache to prefixes that end at a breakpoint (Claude); otherwise every segment may end
        one. Prefixes under `least` tokens are not cached.
        """
        read = end = total = 0
        rolling = hashlib.blake2b(owner.encode(), digest_size=16)
        for segment in segments:
            rolling.update(segment.text.encode())
            rolling.update(b"\x00")
            total += segment.tokens
            if (marked and not segment.breakpoint) or total < least:
                continue
            end = total
            key = rolling.digest()
            if key in self._prefixes:
                read = total
                self._prefixes.move_to_end(key)
            else:
                self._prefixes[key] = None
        while len(self._prefixes) > _KEPT:
            self._prefixes.popitem(last=False)
        return read, end - read

    def due(self, scenario: Scenario, key: str) -> Scenario:
        """`scenario`, or the same without its fault once `fail_times` requests of this `key` have had it."""
        if scenario.fail_times is None or scenario.fault is Fault.NONE:
            return scenario
        name = f"{key}|{scenario!r}"
        served = self._served.get(name, 0)
        if served >= scenario.fail_times:
            return replace(scenario, fault=Fault.NONE)
        self._served[name] = served + 1
        return scenario

"""Single flight: work that many wait for and one task does, by key.

A flight is a task of its own, so a waiter that is cancelled leaves it running, and a flight that fails raises for
all who wait. How the last one failed is remembered until one succeeds, so that a caller can tell the failure again
for a moment instead of setting out once more. `forget` cuts a flight loose: those who wait get its answer, and it
leaves no trace (it asks `is_current` before it keeps anything).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Generic, TypeVar

from bridge.errors import BridgeError, Shedding

log = logging.getLogger(__name__)

Landed = TypeVar("Landed")


@dataclass(frozen=True, slots=True)
class _Failure:
    error: BridgeError
    at: float


class Flights(Generic[Landed]):
    """Flights by seat; `what` names in the log what they bring. Times are of the clock `now`."""

    def __init__(self, what: str, now: Callable[[], float]) -> None:
        self._what = what
        self._now = now
        self._current: dict[int, asyncio.Task[Landed]] = {}
        self._running: set[asyncio.Task[Landed]] = set()
        self._failures: dict[int, _Failure] = {}
        self._closed = False

    def start(self, key: int, way: Callable[[int], Coroutine[object, object, Landed]]) -> asyncio.Task[Landed]:
        """The flight under way for `key`, or a new one. Raises Shedding after `aclose`."""
        flight = self._current.get(key)
        if flight is None:
            if self._closed:
                raise _closing()
            flight = asyncio.create_task(way(key), name=f"{self._what}-{key}")
            self._current[key] = flight
            self._running.add(flight)
            flight.add_done_callback(lambda done: self._ended(key, done))
        return flight

    async def join(self, key: int, way: Callable[[int], Coroutine[object, object, Landed]]) -> Landed:
        """What the flight for `key` brings; raises what it failed with."""
        flight = self.start(key, way)
        try:
            return await asyncio.shield(flight)
        except asyncio.CancelledError:
            if flight.cancelled():
                raise _closing() from None
            raise

    def raise_recent(self, key: int, seconds: float) -> None:
        """Tell the last failure again when it is less than `seconds` old and no new flight is under way."""
        failure = self._failures.get(key)
        if failure is not None and 0 <= self._now() - failure.at < seconds and key not in self._current:
            raise failure.error.with_traceback(None)

    def may_start(self, key: int, pause: float) -> bool:
        """Whether a flight nobody waits for is worth it: none failed lately, or its pause is over."""
        failure = self._failures.get(key)
        if failure is None:
            return True
        return not 0 <= self._now() - failure.at < max(pause, failure.error.retry_after or 0.0)

    def is_current(self, key: int) -> bool:
        """Whether the running task is the flight for `key`, and not one that `forget` cut loose."""
        return self._current.get(key) is asyncio.current_task()

    def fail(self, key: int, error: BridgeError) -> None:
        self._failures[key] = _Failure(error, self._now())

    def forget(self, key: int) -> None:
        self._failures.pop(key, None)
        self._current.pop(key, None)

    async def aclose(self) -> None:
        """End the flights under way; who waits is told that the gateway shuts down."""
        self._closed = True
        running = tuple(self._running)
        for flight in running:
            flight.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, key: int, flight: asyncio.Task[Landed]) -> None:
        self._running.discard(flight)
        was_current = self._current.get(key) is flight
        if was_current:
            del self._current[key]
        if flight.cancelled():
            return
        # Looking at the exception also keeps asyncio from complaining when nobody waited.
        error = flight.exception()
        if error is None:
            self._failures.pop(key, None)
            return
        log.warning("No %s for seat %s: %s", self._what, key, error)
        if was_current and isinstance(error, BridgeError):
            self.fail(key, error)


def _closing() -> Shedding:
    return Shedding("The gateway is shutting down.", retry_after=1.0)

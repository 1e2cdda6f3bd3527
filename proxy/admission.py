"""Admission: whether a request fits the limits of its key and of its team, and what is held while it runs.

    admit    every limit is looked at and taken in one step: all of them or none; a refusal is not counted
    release  once, whatever ended the request: the slots are free again and the tokens are those it used

Without Redis the counts are this process's own, in memory. With it (`REDIS_URL`) they are one for all processes; each
counts its own requests beside that, so that when Redis is lost it goes on with what it knows and without a pause.
`fault` then says so. A task renews the leases of what is running and finds Redis again.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from uuid import UUID

from bridge.errors import RateLimited
from proxy.counted import SECOND, Bound, Full, Measure, Used, bounds_of
from proxy.local_counters import LocalCounters
from proxy.shared_counters import LEASE_SECONDS, CountersLostError, SharedCounters, Slot

if TYPE_CHECKING:
    from accounts.directory import Caller

logger = logging.getLogger(__name__)

RENEW_SECONDS = LEASE_SECONDS / 3
RETRY_SECONDS = 1.0
FAREWELL_SECONDS = 2.0

_KEY_TEXTS: Final[Mapping[Measure, str]] = MappingProxyType(
    {
        Measure.REQUESTS: (
            "This key may make %(limit)d requests a minute and has made them. Please try again in %(wait)ds, or ask "
            "the gateway's owner for a higher limit."
        ),
        Measure.TOKENS: (
            "This key may use %(limit)d tokens a minute, and this request of about %(tokens)d is more than is left. "
            "Please try again in %(wait)ds, or ask the gateway's owner for a higher limit."
        ),
        Measure.CONCURRENT: (
            "This key may run %(limit)d requests at once, and as many are running. Please try again in %(wait)ds or "
            "when one has ended, or ask the gateway's owner for a higher limit."
        ),
    }
)
_TEAM_TEXTS: Final[Mapping[Measure, str]] = MappingProxyType(
    {
        Measure.REQUESTS: (
            "The team %(team)s may make %(limit)d requests a minute and has made them. Please try again in %(wait)ds, "
            "or ask the gateway's owner for a higher limit."
        ),
        Measure.TOKENS: (
            "The team %(team)s may use %(limit)d tokens a minute, and this request of about %(tokens)d is more than "
            "is left. Please try again in %(wait)ds, or ask the gateway's owner for a higher limit."
        ),
        Measure.CONCURRENT: (
            "The team %(team)s may run %(limit)d requests at once, and as many are running. Please try again in "
            "%(wait)ds or when one has ended, or ask the gateway's owner for a higher limit."
        ),
    }
)


@dataclass(frozen=True, slots=True)
class _Held:
    """What a running request holds: under which bounds, and how many tokens were guessed for it."""

    bounds: tuple[Bound, ...]
    tokens: int

    def slots(self, request: UUID) -> list[Slot]:
        return [(request, bound) for bound in self.bounds if bound.concurrent is not None]


class Admission:
    def __init__(self, url: str = "", local: LocalCounters | None = None) -> None:
        self.fault: str | None = None
        self._url = url
        self._local = local or LocalCounters()
        self._shared: SharedCounters | None = None
        self._held: dict[UUID, _Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()

    @property
    def held(self) -> int:
        """How many requests hold something now."""
        return len(self._held)

    async def start(self) -> None:
        """Find Redis, if one is set; the gateway serves without it, too."""
        if self._url:
            self._shared = SharedCounters(self._url)
            await self._renew(self._shared)
            self._keeper = asyncio.get_running_loop().create_task(self._keep(self._shared))

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=FAREWELL_SECONDS)
        if self._shared is not None:
            await self._shared.aclose()
            self._shared = None

    async def admit(self, request: UUID, caller: Caller, tokens: int) -> None:
        """Count a request of about `tokens` tokens of input; `release` must follow, and is harmless if this raises.

        Raises RateLimited with the seconds after which it would fit.
        """
        bounds = bounds_of(caller)
        if not bounds:
            return
        held = _Held(bounds, max(1, tokens))
        # Before the wait: what is cancelled in it may have been counted, and is released like any other.
        self._held[request] = held
        full = await self._take(request, held)
        if full is not None:
            self._held.pop(request, None)
            raise _refusal(full, held.tokens)

    def release(self, request: UUID, used: int | None) -> asyncio.Task[None] | None:
        """The request has ended and used so many tokens (None: nobody knows). A second call does nothing.

        Returns the task that tells Redis, if there is one.
        """
        held = self._held.pop(request, None)
        if held is None:
            return None
        count = held.tokens if used is None else used
        self._local.settle(request, held.bounds, held.tokens, count)
        if self._shared is None or self.fault is not None:
            return None
        return self._spawn(self._tell(self._shared, request, held, count))

    async def used(self, bounds: Sequence[Bound]) -> list[Used]:
        """What is used of each bound now."""
        if bounds and self._shared is not None and self.fault is None:
            try:
                return await self._shared.used(bounds)
            except CountersLostError as error:
                self._lose(error)
        return [self._local.used(bound) for bound in bounds]

    async def _take(self, request: UUID, held: _Held) -> Full | None:
        if self._shared is not None and self.fault is None:
            try:
                full = await self._shared.take(request, held.bounds, held.tokens)
            except CountersLostError as error:
                self._lose(error)
            else:
                if full is None:
                    self._local.note(request, held.bounds, held.tokens)
                return full
        return self._local.take(request, held.bounds, held.tokens)

    async def _tell(self, shared: SharedCounters, request: UUID, held: _Held, used: int) -> None:
        try:
            await shared.settle(request, held.bounds, held.tokens, used)
        except CountersLostError as error:
            self._lose(error)

    async def _keep(self, shared: SharedCounters) -> None:
        """Renew what is running in good time; look for Redis every second while it is lost."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RENEW_SECONDS):
                    await self._lost.wait()
                await asyncio.sleep(RETRY_SECONDS)
            await self._renew(shared)

    async def _renew(self, shared: SharedCounters) -> None:
        slots = [slot for request, held in self._held.items() for slot in held.slots(request)]
        try:
            await shared.renew(slots)
            # A request that ended meanwhile may have been freed before it was renewed.
            if ended := [slot for slot in slots if slot[0] not in self._held]:
                await shared.free(ended)
        except CountersLostError as error:
            self._lose(error)
            return
        if self.fault is not None:
            logger.info("Redis answers again: limits are shared between processes")
        self.fault = None
        self._lost.clear()

    def _lose(self, error: CountersLostError) -> None:
        if self.fault is None:
            logger.error("Redis is lost (%s): limits are counted by this process alone until it is back", error)
        self.fault = f"Redis does not answer ({error}): limits are counted by each process alone"
        self._lost.set()

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _refusal(full: Full, tokens: int) -> RateLimited:
    texts = _TEAM_TEXTS if full.bound.team else _KEY_TEXTS
    wait = full.wait / SECOND
    params = {
        "limit": full.bound.limit(full.measure),
        "team": full.bound.team,
        "tokens": tokens,
        "wait": max(1, math.ceil(wait)),
    }
    return RateLimited.of_wait(texts[full.measure], params, wait)

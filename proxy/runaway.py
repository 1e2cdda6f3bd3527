"""A guard against clients that send the same request again and again without pause.

Some agents do so for ever when an answer ends in a way they do not expect, and every turn costs credits. More than
LIMIT equal bodies of one key within WINDOW_SECONDS are refused, for a time that doubles while the client keeps on.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from bridge.errors import RateLimited

LIMIT = 20
WINDOW_SECONDS = 10.0
LONGEST_WAIT = 60.0
REMEMBERED = 4096


@dataclass(slots=True)
class _Seen:
    first: float
    count: int
    wait: float


class RunawayGuard:
    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seen: OrderedDict[tuple[int, int], _Seen] = OrderedDict()

    def check(self, key: int, body: bytes) -> None:
        """Count this body of `key`. Raises RateLimited with a growing wait when it comes too often."""
        now = self._now()
        mark = (key, hash(body))
        seen = self._seen.get(mark)
        if seen is None or now - seen.first > WINDOW_SECONDS:
            wait = seen.wait if seen is not None and now - seen.first < WINDOW_SECONDS + seen.wait else 1.0
            self._seen[mark] = _Seen(now, 1, wait)
            self._seen.move_to_end(mark)
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
            return
        seen.count += 1
        if seen.count > LIMIT:
            wait, seen.wait = seen.wait, min(LONGEST_WAIT, seen.wait * 2)
            raise RateLimited(
                "The same request came %(count)d times within %(window)d seconds; your client seems to be in a loop. "
                "Wait %(wait)d s.",
                {"count": seen.count, "window": int(WINDOW_SECONDS), "wait": int(wait)},
                retry_after=wait,
            )

"""What the upstream refused lately, so that a repair is paid for once: per model, for an hour."""

from __future__ import annotations

import time
from collections.abc import Callable

LESSON_SECONDS = 3600.0
MOST_FIELDS = 64


class Lessons:
    """Which request fields a model was found to refuse, and which efforts it takes; bounded by the upstream's words."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._fields: dict[str, dict[str, float]] = {}
        self._efforts: dict[str, tuple[tuple[str, ...], float]] = {}

    def learn(self, model: str, field: str) -> None:
        now = self._now()
        fields = {name: until for name, until in self._fields.get(model, {}).items() if until > now}
        if field in fields or len(fields) < MOST_FIELDS:  # a refusal may name what a caller made up
            fields[field] = now + LESSON_SECONDS
        self._fields[model] = fields

    def learn_efforts(self, model: str, efforts: tuple[str, ...]) -> None:
        self._efforts[model] = (efforts, self._now() + LESSON_SECONDS)

    def refused(self, model: str) -> frozenset[str]:
        learned = self._fields.get(model)
        if not learned:
            return frozenset()
        now = self._now()
        return frozenset(field for field, until in learned.items() if until > now)

    def efforts(self, model: str) -> tuple[str, ...] | None:
        """The efforts that a refusal named; None when none did lately."""
        efforts, until = self._efforts.get(model, ((), 0.0))
        return efforts if until > self._now() else None

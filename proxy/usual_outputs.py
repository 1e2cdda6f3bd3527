"""How long answers usually are: the last settled ones of each key and model, as a 95th percentile.

Of each key and model the last `SAMPLES` lengths are kept, and of each model over all keys; the least lately used are
forgotten, so that memory is bounded whatever is asked. Too few answers tell nothing: then the model's over all keys
count, and without enough of those `UNKNOWN`.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, TypeVar

from accounts.models import UsageRecord, UsageStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

Name = TypeVar("Name")

UNKNOWN = 2000
SAMPLES = 200
FEWEST_SAMPLES = 20
PERCENTILE = 95
REMEMBERED_PAIRS = 2000
REMEMBERED_MODELS = 200
ROWS_AT_START = 10_000


class UsualOutputs:
    """Lengths in tokens."""

    def __init__(self) -> None:
        self._of_keys: OrderedDict[tuple[int, str], deque[int]] = OrderedDict()
        self._of_models: OrderedDict[str, deque[int]] = OrderedDict()

    def note(self, key: int, model: str, output: int) -> None:
        """An answer has ended well. One without output, such as embeddings, teaches nothing."""
        if output > 0:
            _note(self._of_keys, (key, model), output, REMEMBERED_PAIRS)
            _note(self._of_models, model, output, REMEMBERED_MODELS)

    def usual(self, key: int, model: str) -> int:
        """The length that 95 of 100 answers of `model` to `key` stay within."""
        for lengths in (self._of_keys.get((key, model)), self._of_models.get(model)):
            if lengths is not None and len(lengths) >= FEWEST_SAMPLES:
                return _percentile(lengths)
        return UNKNOWN

    def learn(self, answers: Iterable[tuple[int | None, str, int]]) -> None:
        """Note answers (key, model, output), the latest first; those noted already are newer than all of them."""
        known, self._of_keys, self._of_models = (self._of_keys, self._of_models), OrderedDict(), OrderedDict()
        for key, model, output in reversed(list(answers)):
            if key is not None:
                self.note(key, model, output)
        of_keys, of_models = known
        for pair, lengths in of_keys.items():
            for output in lengths:
                _note(self._of_keys, pair, output, REMEMBERED_PAIRS)
        for model, lengths in of_models.items():
            for output in lengths:
                _note(self._of_models, model, output, REMEMBERED_MODELS)


def latest_answers(rows: int = ROWS_AT_START) -> list[tuple[int | None, str, int]]:
    """What `UsualOutputs.learn` takes, of the ledger's latest rows: read from the end of the primary key."""
    latest = UsageRecord.objects.order_by("-id").values_list("key_id", "served_model", "output_tokens", "status")
    return [(key, model, output) for key, model, output, status in latest[:rows] if status == UsageStatus.SETTLED]


def _note(shelf: OrderedDict[Name, deque[int]], name: Name, output: int, most: int) -> None:
    shelf.setdefault(name, deque(maxlen=SAMPLES)).append(output)
    shelf.move_to_end(name)
    if len(shelf) > most:
        shelf.popitem(last=False)


def _percentile(lengths: Iterable[int]) -> int:
    """By nearest rank: a length that was really seen."""
    ordered = sorted(lengths)
    return ordered[math.ceil(PERCENTILE * len(ordered) / 100) - 1]

"""Calibration: what the upstream counted, against what was estimated, model by model."""

from __future__ import annotations

_WEIGHT = 0.2
_LEAST, _MOST = 0.5, 2.0
# Below this the upstream's own frame around a prompt outweighs the prompt.
_SMALLEST = 500
_MODELS = 1000


class Calibration:
    """Per model an exponentially weighted mean of observed input tokens over estimated ones, within 0.5 and 2.

    Held in memory alone: a process learns it anew within a few requests.
    """

    def __init__(self) -> None:
        self._ratios: dict[str, float] = {}

    def note(self, model: str, estimate: int, observed: int) -> None:
        """`observed` are all input tokens of an answered request, cached ones too. Small requests teach nothing."""
        if estimate < _SMALLEST or observed <= 0:
            return
        if model not in self._ratios and len(self._ratios) >= _MODELS:
            return
        seen = min(_MOST, max(_LEAST, observed / estimate))
        known = self._ratios.get(model, seen)
        self._ratios[model] = known + _WEIGHT * (seen - known)

    def ratio(self, model: str) -> float:
        """What to multiply an estimate by; 1.0 for a model that was not observed yet."""
        return self._ratios.get(model, 1.0)

"""How many tokens a request will be, told without asking anyone, and how far such estimates were off lately."""

from bridge.counting.calibration import Calibration
from bridge.counting.count import count_tokens

__all__ = ["Calibration", "count_tokens"]

"""The verbatim road: a caller of Responses and a model that speaks Responses."""

from __future__ import annotations

from bridge.formats.responses.editing import edit_request
from bridge.formats.responses.gatherer import Gatherer
from bridge.formats.responses.opening import open_request
from bridge.formats.responses.tap import StreamTap

__all__ = ["Gatherer", "StreamTap", "edit_request", "open_request"]

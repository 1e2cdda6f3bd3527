"""Chat Completions on both sides: what the relay needs when nothing has to be translated."""

from __future__ import annotations

from bridge.formats.chat.body import frames_of_body
from bridge.formats.chat.edit import edit_request
from bridge.formats.chat.opening import open_request
from bridge.formats.chat.tap import StreamTap
from bridge.formats.chat.whole import Gatherer

__all__ = ["Gatherer", "StreamTap", "edit_request", "frames_of_body", "open_request"]

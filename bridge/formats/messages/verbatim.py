"""Messages on both sides: what the relay needs when nothing has to be translated."""

from __future__ import annotations

from bridge.formats.messages.betas import betas_of
from bridge.formats.messages.edit import edit_request
from bridge.formats.messages.errors import ThreadUnsupported, status_of
from bridge.formats.messages.gatherer import Gatherer
from bridge.formats.messages.request import open_request
from bridge.formats.messages.tap import StreamTap

__all__ = ["Gatherer", "StreamTap", "ThreadUnsupported", "betas_of", "edit_request", "open_request", "status_of"]

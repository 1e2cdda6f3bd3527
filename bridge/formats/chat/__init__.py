"""The room of OpenAI's Chat Completions format."""

from bridge.formats.chat.chunks import ChunkReader
from bridge.formats.chat.errors import write_error, write_error_frame
from bridge.formats.chat.repairs import refused_field
from bridge.formats.chat.request import ChatRequest, Written, read_request, write_request
from bridge.formats.chat.tap import StreamTap
from bridge.formats.chat.whole import Gatherer, frames_of_body

__all__ = [
    "ChatRequest",
    "ChunkReader",
    "Gatherer",
    "StreamTap",
    "Written",
    "frames_of_body",
    "read_request",
    "refused_field",
    "write_error",
    "write_error_frame",
    "write_request",
]

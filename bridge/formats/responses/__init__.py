"""The room of OpenAI's Responses format."""

from bridge.formats.responses.errors import write_error
from bridge.formats.responses.reader import ReplyReader
from bridge.formats.responses.reading import read_request
from bridge.formats.responses.writer import ReplyWriter, write_reply
from bridge.formats.responses.writing import write_request

__all__ = ["ReplyReader", "ReplyWriter", "read_request", "write_error", "write_reply", "write_request"]

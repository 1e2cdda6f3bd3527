"""The room of Anthropic's Messages format."""

from bridge.formats.messages.errors import write_error
from bridge.formats.messages.read import read_request
from bridge.formats.messages.reader import ReplyReader
from bridge.formats.messages.whole import write_reply
from bridge.formats.messages.write import write_request
from bridge.formats.messages.writer import ReplyWriter

__all__ = ["ReplyReader", "ReplyWriter", "read_request", "write_error", "write_reply", "write_request"]

"""The room of OpenAI's Chat Completions format."""

from bridge.formats.chat.errors import write_error
from bridge.formats.chat.reading import read_request
from bridge.formats.chat.reply import write_reply
from bridge.formats.chat.reply_reader import ReplyReader
from bridge.formats.chat.reply_writer import ReplyWriter
from bridge.formats.chat.writing import write_request

__all__ = ["ReplyReader", "ReplyWriter", "read_request", "write_error", "write_reply", "write_request"]

"""Which reader an output item takes."""

from __future__ import annotations

from bridge.formats.responses.call_readers import CallReader, CompactionReader, SearchReader, ShellReader
from bridge.formats.responses.ids import item_type_of_event
from bridge.formats.responses.item_frames import Frame, ItemReader, text_in
from bridge.formats.responses.text_readers import MessageReader, ReasoningReader
from bridge.parts import CallKind

_PHASES = ("commentary", "final_answer")


def reader_of(frame: Frame) -> ItemReader:
    """The reader for the item that `frame` is the first to speak of."""
    kind = frame.shown.get("type") or item_type_of_event(frame.type)
    match kind:
        case "message":
            phase = text_in(frame.shown.get("phase"))
            return MessageReader(phase if phase in _PHASES else "")
        case "reasoning":
            return ReasoningReader()
        case "function_call":
            return CallReader(CallKind.FUNCTION)
        case "custom_tool_call":
            return CallReader(CallKind.CUSTOM)
        case "local_shell_call":
            return ShellReader()
        case "web_search_call":
            return SearchReader()
        case "compaction":
            return CompactionReader()
        case _:
            return ItemReader()

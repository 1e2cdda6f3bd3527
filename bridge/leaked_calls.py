"""Leaked calls: calls of tools that Claude wrote as text, told as the calls they were meant to be. Quirk leaked-calls.

    leak   := word? ("<function_calls>" invoke+ "</function_calls>" | invoke+ "</function_calls>"?)
    invoke := '<invoke name="' TOOL '">' ('<parameter name="' NAME '">' VALUE "</parameter>")* "</invoke>"

Every tag may carry the prefix `antml:`, all of a leak or none. A leak begins at the head of a line, where no backticks
are open, and blanks stand between its tags. It is taken whole or not at all: when a tool is unknown, a tag missing or
the leak too long, all of it and the rest of the part stay text, since that part only talks about the syntax.

Held back is what may be the beginning of a leak, blank lines included, and a leak that is not yet whole: 64 Ki
characters at most. Everything is looked at once, whatever the borders of the pieces: what waits to be looked at again
is never longer than a tag.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import structs

from bridge.events import (
    CallHead,
    Cited,
    Event,
    Failed,
    Finished,
    PartClosed,
    PartOpened,
    Stop,
    TextGrew,
    TextHead,
    Weighed,
)
from bridge.leak_arguments import typed_arguments
from bridge.leak_reader import LeakReader, Step
from bridge.leak_watch import LeakWatch
from bridge.parts import CallKind, Citation
from bridge.prompt import Tool

# What is left of a piece is copied behind each leak in it: very long ones are read by and by.
_WINDOW = 16 * 1024


class CallRecovery:
    """Recovers the leaked calls of one reply; the n-th gets the id `call_{new_id}_{n}`, from 0 on."""

    def __init__(self, tools: tuple[Tool, ...], new_id: str) -> None:
        self._tools = {tool.name: tool for tool in reversed(tools) if tool.kind is CallKind.FUNCTION}
        self._new_id = new_id
        self._count = 0
        self._part: _TextPart | None = None

    def feed(self, event: Event) -> list[Event]:
        """What the caller is told for `event`."""
        match event:
            case PartOpened(head=TextHead() as head) if self._tools:
                self._part = _TextPart(head, self._tools, self._ids())
                return []
            case TextGrew(text) if self._part is not None:
                return self._part.grow(text)
            case Weighed() | Cited() if self._part is not None:
                return self._part.note(event)
            case PartClosed() if self._part is not None:
                part, self._part = self._part, None
                return part.close()
            case Failed() if self._part is not None:
                part, self._part = self._part, None
                return [*part.release(), event]
            case Finished(stop=Stop.END) if self._count:
                return [structs.replace(event, stop=Stop.CALLS)]
        return [event]

    def _ids(self) -> Iterator[str]:
        while True:
            self._count += 1
            yield f"call_{self._new_id}_{self._count - 1}"


class _TextPart:
    """One text part as it comes in, and the text parts and calls that are told of it.

    A part is opened with the first thing that is said in it, so that none stays empty before a call or behind one.
    """

    def __init__(self, head: TextHead, tools: Mapping[str, Tool], ids: Iterator[str]) -> None:
        self._head = head
        self._tools = tools
        self._ids = ids
        self._watch: LeakWatch | None = LeakWatch()
        """None: the rest of the part is text, whatever it says."""
        self._leak: LeakReader | None = None
        self._held: list[Event] = []
        self._is_open = False
        self._has_called = False
        self._taken = self._begun = self._told = 0
        """Characters of the part: that came in, that stand before the one that is told now, that are told of that."""

    def grow(self, text: str) -> list[Event]:
        events: list[Event] = []
        for at in range(0, len(text), _WINDOW):
            self._read(text[at : at + _WINDOW], events)
        return events

    def note(self, event: Weighed | Cited) -> list[Event]:
        """What is said about text that is held back waits with it."""
        if self._held or not self._is_open:
            self._held.append(event)
            return []
        return self._tell([event])

    def release(self) -> list[Event]:
        """All that is held back, as the text it is."""
        held, self._held = self._held, []
        return self._tell(_joined(held)) if held else []

    def close(self) -> list[Event]:
        events = self._recovered(self._leak) if self._leak is not None and self._leak.end() else []
        if not self._has_called or self._is_open or any(_says_something(event) for event in self._held):
            events += self.release()
        return [*events, *self._tell([PartClosed()])] if self._is_open or not self._has_called else events

    def _read(self, text: str, events: list[Event]) -> None:
        self._taken += len(text)
        while text:
            if self._leak is not None:
                text = self._read_leak(self._leak, text, events)
            elif self._watch is not None:
                text = self._read_text(self._watch, text, events)
            else:
                events += self._tell([TextGrew(text)])
                text = ""

    def _read_text(self, watch: LeakWatch, text: str, events: list[Event]) -> str:
        sight = watch.look(text)
        if not sight.goes_on:
            self._hold(text[: sight.start])
            events += self.release()
        if sight.opening:
            self._hold(text[sight.start : sight.end])
            self._leak = LeakReader(sight.opening, self._tools)
            return text[sight.end :]
        self._hold(text[sight.start :])
        return ""

    def _read_leak(self, leak: LeakReader, text: str, events: list[Event]) -> str:
        match leak.read(text):
            case Step.WHOLE:
                events += self._recovered(leak)
                return leak.rest
            case Step.BROKEN:
                self._leak = self._watch = None
                self._hold(text)
                events += self.release()
            case _:
                self._hold(text)
        return ""

    def _recovered(self, leak: LeakReader) -> list[Event]:
        """The leak's calls, behind the text before it; what is said about the leak as a text is not told."""
        events: list[Event] = []
        if self._is_open:
            events = self._tell([*filter(self._cites_told, self._held), PartClosed()])
        for name, values in leak.calls:
            tool = self._tools[name]
            head = CallHead(next(self._ids), name, namespace=tool.namespace)
            events += [PartOpened(head), TextGrew(typed_arguments(tool.schema or {}, values)), PartClosed()]
        self._held, self._leak, self._watch = [], None, LeakWatch()
        self._is_open, self._has_called = False, True
        self._begun, self._told = self._taken - len(leak.rest), 0
        return events

    def _hold(self, text: str) -> None:
        if text:
            self._held.append(TextGrew(text))

    def _tell(self, events: list[Event]) -> list[Event]:
        opening: list[Event] = [] if self._is_open else [PartOpened(self._head)]
        self._is_open = True
        for event in events:
            if isinstance(event, TextGrew):
                self._told += len(event.text)
        if self._begun:
            events = [Cited(self._placed(event.citation)) if isinstance(event, Cited) else event for event in events]
        return opening + events

    def _cites_told(self, event: Event) -> bool:
        if not isinstance(event, Cited):
            return False
        return event.citation.end is None or event.citation.end <= self._begun + self._told

    def _placed(self, citation: Citation) -> Citation:
        """The citation with its place counted in the part that is told now; of an earlier one it has none."""
        start, end = citation.start, citation.end
        if start is None or end is None or start < self._begun:
            return structs.replace(citation, start=None, end=None)
        return structs.replace(citation, start=start - self._begun, end=end - self._begun)


def _says_something(event: Event) -> bool:
    return isinstance(event, TextGrew) and not event.text.isspace()


def _joined(events: list[Event]) -> list[Event]:
    """The same events with neighbouring pieces of text as one."""
    joined: list[Event] = []
    pieces: list[str] = []
    for event in events:
        if isinstance(event, TextGrew):
            pieces.append(event.text)
            continue
        if pieces:
            joined.append(TextGrew("".join(pieces)))
            pieces.clear()
        joined.append(event)
    return [*joined, TextGrew("".join(pieces))] if pieces else joined

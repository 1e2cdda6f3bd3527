"""Leak reader: leaked calls, from behind their opening to their end. The grammar stands in bridge/leaked_calls.py."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum, auto

from bridge.leak_watch import behind_blanks

LONGEST_LEAK = 63 * 1024
"""In characters, from behind the opening."""
_LONGEST_NAME = 256


class _Place(Enum):
    BETWEEN_INVOKES = auto()
    TOOL = auto()
    INVOKE = auto()
    NAME = auto()
    VALUE = auto()


class Step(Enum):
    ON = auto()
    WAIT = auto()
    WHOLE = auto()
    BROKEN = auto()


class LeakReader:
    """Reads one leak from behind its opening. `calls` are names of tools with their parameters as text."""

    def __init__(self, opening: str, tools: Collection[str]) -> None:
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.rest = ""
        """What follows a whole leak."""
        prefix = "antml:" if "antml:" in opening else ""
        self._invoke, self._end_invoke = f'<{prefix}invoke name="', f"</{prefix}invoke>"
        self._parameter, self._end_parameter = f'<{prefix}parameter name="', f"</{prefix}parameter>"
        self._end_calls = f"</{prefix}function_calls>"
        self._tools = tools
        self._is_bare = opening.endswith(self._invoke)
        self._place = _Place.TOOL if self._is_bare else _Place.BETWEEN_INVOKES
        self._room = LONGEST_LEAK
        self._text, self._at = "", 0
        """What waits to be looked at: from `_at` on, and nothing longer than a tag from one piece to the next."""
        self._blanks: list[str] = []
        """Those behind the last invoke: text if a bare leak has ended there."""
        self._name = ""
        self._value: list[str] = []

    def read(self, piece: str) -> Step:
        """WHOLE, BROKEN, or WAIT for more. A leak too long is broken wherever the pieces end."""
        taken, over = piece[: self._room], piece[self._room :]
        self._room -= len(taken)
        self._text, self._at = self._text[self._at :] + taken, 0
        step = Step.ON
        while step is Step.ON:
            step = self._next()
        if step is Step.WHOLE:
            self.rest += over
        return Step.BROKEN if step is Step.WAIT and over else step

    def end(self) -> bool:
        """Whether the leak is whole when nothing more comes; the tag around its calls may be missing or cut off."""
        tail = self._text[self._at :]
        return self._place is _Place.BETWEEN_INVOKES and bool(self.calls) and (not tail or tail.startswith("</"))

    def _next(self) -> Step:
        match self._place:
            case _Place.BETWEEN_INVOKES:
                return self._between_invokes()
            case _Place.INVOKE:
                return self._in_invoke()
            case _Place.VALUE:
                return self._in_value()
            case _Place.TOOL | _Place.NAME:
                return self._in_name()

    def _between_invokes(self) -> Step:
        self._skip_blanks(keep=True)
        if self._reads(self._invoke):
            self._blanks.clear()
            self._place = _Place.TOOL
            return Step.ON
        if self.calls and self._reads(self._end_calls):
            self.rest = self._text[self._at :]
            return Step.WHOLE
        if self._may_become(self._invoke, self._end_calls):
            return Step.WAIT
        if not (self._is_bare and self.calls):
            return Step.BROKEN
        self.rest = "".join(self._blanks) + self._text[self._at :]
        return Step.WHOLE

    def _in_invoke(self) -> Step:
        self._skip_blanks(keep=False)
        if self._reads(self._parameter):
            self._place = _Place.NAME
            return Step.ON
        if self._reads(self._end_invoke):
            self._place = _Place.BETWEEN_INVOKES
            return Step.ON
        return Step.WAIT if self._may_become(self._parameter, self._end_invoke) else Step.BROKEN

    def _in_name(self) -> Step:
        end = self._text.find('">', self._at, self._at + _LONGEST_NAME)
        if end < 0:
            return Step.WAIT if len(self._text) - self._at < _LONGEST_NAME else Step.BROKEN
        self._name, self._at = self._text[self._at : end], end + 2
        if self._place is _Place.NAME:
            self._place = _Place.VALUE
            return Step.BROKEN if self._name in self.calls[-1][1] else Step.ON
        self._place = _Place.INVOKE
        self.calls.append((self._name, {}))
        return Step.ON if self._name in self._tools else Step.BROKEN

    def _in_value(self) -> Step:
        end = self._text.find(self._end_parameter, self._at)
        # The end of the text may be the beginning of the tag.
        stop = end if end >= 0 else max(self._at, len(self._text) - len(self._end_parameter) + 1)
        self._value.append(self._text[self._at : stop])
        self._at = stop
        if end < 0:
            return Step.WAIT
        self.calls[-1][1][self._name] = "".join(self._value)
        self._value.clear()
        self._at += len(self._end_parameter)
        self._place = _Place.INVOKE
        return Step.ON

    def _skip_blanks(self, *, keep: bool) -> None:
        end = behind_blanks(self._text, self._at)
        if keep:
            self._blanks.append(self._text[self._at : end])
        self._at = end

    def _reads(self, tag: str) -> bool:
        is_there = self._text.startswith(tag, self._at)
        self._at += len(tag) if is_there else 0
        return is_there

    def _may_become(self, *tags: str) -> bool:
        tail = self._text[self._at : self._at + max(map(len, tags))]
        return any(tag.startswith(tail) for tag in tags)

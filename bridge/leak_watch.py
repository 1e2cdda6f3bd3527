"""Leak watch: where in a text a leaked call may begin. The grammar stands in bridge/leaked_calls.py."""

from __future__ import annotations

from msgspec import Struct

LONGEST_BLANK = 1024
"""How much of the blanks before an opening is held back, in characters."""

# What comes out in the place of the delimiter before the first tag.
_WORDS = ("", "call\n", "court\n", "count\n", "course\n")
_OPENINGS = tuple(
    f"{word}{tag}" for word in _WORDS for p in ("", "antml:") for tag in (f"<{p}function_calls>", f'<{p}invoke name="')
)


class Sight(Struct, frozen=True):
    """`start`: from where the text looked at is held back; `goes_on`: so is what was held back before it.

    `opening` is the opening that is whole at `end`, or empty.
    """

    goes_on: bool
    start: int
    end: int = 0
    opening: str = ""


class LeakWatch:
    """Looks for the opening of a leak in a text."""

    def __init__(self) -> None:
        self._backticks = _Backticks()
        self._at_head = True
        """Only blanks, and maybe the beginning of an opening, have come since the last line or the text's beginning."""
        self._is_indented = False
        self._blank = 0
        self._begun = ""

    def look(self, text: str) -> Sight:
        """What is to be done with `text`, the next piece; behind an opening nothing of it has been looked at."""
        goes_on, start, at = self._at_head, 0, 0
        while at < len(text):
            if not self._at_head:
                goes_on, start, at = False, *self._pass_line(text, at)
            elif not self._begun and text[at].isspace():
                end = behind_blanks(text, at)
                self._is_indented = text[end - 1] != "\n"
                self._blank += end - at
                if self._blank > LONGEST_BLANK:
                    goes_on, start, self._blank = False, end - 1, 1
                at = end
            elif self._grows(text[at]):
                at += 1
                if self._begun in _OPENINGS:
                    return Sight(goes_on, start, at, self._begun)
            else:
                self._give_up()
                goes_on, start = False, at
        return Sight(goes_on, start if self._at_head else len(text))

    def _pass_line(self, text: str, at: int) -> tuple[int, int]:
        """Where the line ends, and where the next one begins if it has come."""
        end = text.find("\n", at)
        self._backticks.read(text[at:] if end < 0 else text[at:end])
        if end < 0:
            return len(text), len(text)
        self._backticks.end_line()
        self._at_head, self._is_indented, self._blank = not self._backticks.are_open, False, 1
        return end, end + 1

    def _grows(self, character: str) -> bool:
        begun = self._begun + character
        if self._is_indented or not any(opening.startswith(begun) for opening in _OPENINGS):
            return False
        self._begun = begun
        return True

    def _give_up(self) -> None:
        begun, self._begun = self._begun, ""
        self._at_head = begun.endswith("\n")
        self._is_indented, self._blank = False, 0
        if not self._at_head:
            self._backticks.read(begun)


class _Backticks:
    """Whether a text is inside of Markdown's code, line by line (https://spec.commonmark.org/0.31.2/#code-spans).

    One or two backticks open a span, which ends at as many or at a blank line; three or more open a fence, which ends
    at as many on the line that opened it, or else on a line of their own.
    """

    def __init__(self) -> None:
        self._open = 0
        self._run = 0
        self._is_blank = True
        self._opened_here = False
        self._may_close = False

    @property
    def are_open(self) -> bool:
        return self._open > 0

    def read(self, piece: str) -> None:
        """The next piece of a line."""
        at = 0
        while at < len(piece):
            if piece[at] == "`":
                self._run += 1
                at += 1
                continue
            self._end_run()
            end = piece.find("`", at)
            end = len(piece) if end < 0 else end
            if not piece[at:end].isspace():
                self._is_blank = self._may_close = False
            at = end

    def end_line(self) -> None:
        self._end_run()
        if self._may_close or (self._is_blank and self._open < 3):
            self._open = 0
        self._is_blank, self._opened_here, self._may_close = True, False, False

    def _end_run(self) -> None:
        run, self._run = self._run, 0
        if not run:
            return
        if not self._open:
            self._open, self._opened_here = run, True
        elif self._open < 3 or self._opened_here:
            self._open = 0 if run == self._open else self._open
        else:
            self._may_close = self._is_blank and run >= self._open
        self._is_blank = False


def behind_blanks(text: str, at: int) -> int:
    """Where in `text`, from `at` on, the first character stands that is not blank; else its length."""
    while at < len(text) and text[at].isspace():
        at += 1
    return at

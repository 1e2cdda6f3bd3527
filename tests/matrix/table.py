"""The README's table of what crosses, made from what the crossing does."""

from __future__ import annotations

from pathlib import Path

from bridge.dialect import Dialect
from tests.matrix.answers import ANSWERS, answer_mark_of
from tests.matrix.crossing import Mark, mark_of
from tests.matrix.features import FEATURES

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN = "<!-- matrix: made by `python -m tests.matrix` -->\n"
END = "<!-- end of matrix -->\n"

_NAMES = {Dialect.CHAT: "Chat", Dialect.RESPONSES: "Responses", Dialect.MESSAGES: "Messages"}
CROSSINGS = tuple((door, upstream) for door in Dialect for upstream in Dialect)


def table() -> str:
    """Two tables in Markdown: requests, then answers. Columns are crossings, door → upstream format."""
    heads = [f"{_NAMES[door]} → {_NAMES[upstream]}" for door, upstream in CROSSINGS]
    asked = [(each.name, [mark_of(each, *crossing) for crossing in CROSSINGS]) for each in FEATURES]
    answered = [(each.name, [answer_mark_of(each, *crossing) for crossing in CROSSINGS]) for each in ANSWERS]
    return f"{_rows('In requests', heads, asked)}\n{_rows('In answers', heads, answered)}"


def with_table(text: str) -> str:
    """The README's text with the table made anew. Raises ValueError when its place is not marked."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the README does not mark the table's place")
    return f"{before}{BEGIN}{table()}{END}{after}"


def _rows(title: str, heads: list[str], rows: list[tuple[str, list[Mark]]]) -> str:
    lines = [f"| {title} | {' | '.join(heads)} |", f"|---|{':-:|' * len(heads)}"]
    lines += [f"| {name} | {' | '.join(marks)} |" for name, marks in rows]
    return "\n".join(lines) + "\n"

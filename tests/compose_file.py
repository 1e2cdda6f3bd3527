"""Reads the YAML that docker-compose.yml is written in: blocks of mappings and lists, plain or quoted scalars.

Whatever else YAML can do is refused, so that nothing is misread.
"""

from __future__ import annotations

import re
from pathlib import Path

Value = str | dict[str, "Value"] | list["Value"] | None
Line = tuple[int, str]

_ENTRY = re.compile(r"([A-Za-z_][\w-]*):(?: (.*))?")
_PLAIN = re.compile(r"[\w./][^#&*!|>%@`{}\[\],\"']*")


def read_compose(path: Path) -> dict[str, Value]:
    """The file's top mapping. Raises ValueError for what this reader does not know."""
    lines = [
        (len(line) - len(line.lstrip()), line.strip())
        for line in path.read_text().splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]
    value = _block(lines, 0)
    if lines or not isinstance(value, dict):
        raise ValueError(f"not understood: {lines[:1]}")
    return value


def _block(lines: list[Line], indent: int) -> Value:
    """The block that begins at `indent`; its lines are taken from the front of `lines`."""
    if not lines or lines[0][0] < indent:
        return None
    indent = lines[0][0]
    return _list(lines, indent) if lines[0][1].startswith("- ") else _mapping(lines, indent)


def _list(lines: list[Line], indent: int) -> list[Value]:
    items: list[Value] = []
    while lines and lines[0][0] == indent and lines[0][1].startswith("- "):
        text = lines.pop(0)[1][2:]
        if _ENTRY.fullmatch(text):
            lines.insert(0, (indent + 2, text))
            items.append(_mapping(lines, indent + 2))
        else:
            items.append(_scalar(text))
    return items


def _mapping(lines: list[Line], indent: int) -> dict[str, Value]:
    entries: dict[str, Value] = {}
    while lines and lines[0][0] == indent:
        match = _ENTRY.fullmatch(lines[0][1])
        if match is None or match[1] in entries:
            raise ValueError(f"not an entry, or one that is there already: {lines[0][1]}")
        lines.pop(0)
        entries[match[1]] = _block(lines, indent + 1) if match[2] is None else _scalar(match[2])
    return entries


def _scalar(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"' and not re.search(r'["\\]', text[1:-1]):
        return text[1:-1]
    if _PLAIN.fullmatch(text) and ": " not in text:
        return text
    raise ValueError(f"not a plain scalar: {text}")

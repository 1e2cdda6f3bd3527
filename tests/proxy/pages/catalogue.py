"""Translation catalogues without GNU gettext: read a `.po`, write its `.mo`, find what pages want translated.

`python -m tests.proxy.pages.catalogue` compiles the catalogues under `proxy/locale`. The formats are GNU gettext's:
https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html
"""

from __future__ import annotations

import ast
import re
import struct
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LOCALE = ROOT / "proxy" / "locale"
_MAGIC = 0x950412DE
_ENTRY = re.compile(r'^(msgid|msgid_plural|msgstr|msgstr\[(?P<form>\d+)\]) (?P<text>"(?:[^"\\]|\\.)*")$')


def read_po(path: Path) -> dict[str, list[str]]:
    """Return msgid → its forms (one unless the message has plurals); the header stands under the empty msgid."""
    messages: dict[str, list[str]] = {}
    msgid, where = "", ""
    for line in path.read_text(encoding="utf-8").splitlines():
        found = _ENTRY.match(line)
        if found and found[1] == "msgid":
            msgid, where = _text(found["text"]), "msgid"
        elif found and found[1].startswith("msgstr"):
            messages.setdefault(msgid, []).append(_text(found["text"]))
            where = "msgstr"
        elif line.startswith('"') and where == "msgid":
            msgid += _text(line)
        elif line.startswith('"') and where == "msgstr":
            messages[msgid][-1] += _text(line)
        elif found:
            where = ""
    return messages


def read_plurals(path: Path) -> dict[str, str]:
    """Return msgid → msgid_plural of the messages that have one."""
    pairs = re.findall(r'^msgid ("(?:[^"\\]|\\.)*")\nmsgid_plural ("(?:[^"\\]|\\.)*")$', path.read_text("utf-8"), re.M)
    return {_text(one): _text(many) for one, many in pairs}


def compiled(path: Path) -> bytes:
    """Return the `.mo` file of a `.po` file."""
    plurals = read_plurals(path)
    rows = sorted(
        ("\0".join([msgid, *([plurals[msgid]] if msgid in plurals else [])]).encode(), "\0".join(forms).encode())
        for msgid, forms in read_po(path).items()
        if all(forms)
    )
    head = 28
    start = head + 16 * len(rows)
    keys: list[bytes] = []
    values: list[bytes] = []
    blob = b""
    for table, column in ((keys, 0), (values, 1)):
        for row in rows:
            table.append(struct.pack("<II", len(row[column]), start + len(blob)))
            blob += row[column] + b"\0"
    sizes = struct.pack("<7I", _MAGIC, 0, len(rows), head, head + 8 * len(rows), 0, start)
    return sizes + b"".join(keys) + b"".join(values) + blob


def wanted_by_source(path: Path) -> Iterator[str]:
    """Yield the texts a Python file asks to be translated."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"_", "gettext"}:
            text = ast.literal_eval(node.args[0])
            assert isinstance(text, str)
            yield text


def _text(quoted: str) -> str:
    text = ast.literal_eval(quoted)
    assert isinstance(text, str)
    return text


def main() -> None:
    for path in LOCALE.glob("*/LC_MESSAGES/*.po"):
        path.with_suffix(".mo").write_bytes(compiled(path))


if __name__ == "__main__":
    main()

r"""Server-sent events as a strict client reads them, and JSON as strictly; independent of the gateway's own reading.

A frame is what stands between two empty lines. Nothing is forgiven: text after the last empty line, fields that no
client knows, JSON with a name twice, NaN or half a surrogate pair.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_LINE_END = re.compile("\r\n|\n|\r")
_HALF = re.compile("[\ud800-\udfff]")
_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Frame:
    """`data` is None for a frame that holds nothing but comments."""

    event: str
    data: str | None


def read_frames(body: bytes, *, strict: bool = True) -> list[Frame]:
    """The frames of a whole stream. Raises AssertionError on whatever a strict client stumbles over.

    Without `strict` lines of unknown fields are passed over, as every client does.
    """
    lines = _LINE_END.split(body.decode())
    assert lines[-2:] == ["", ""], f"the stream does not end with an empty line: {body[-80:]!r}"
    frames: list[Frame] = []
    pending: list[str] = []
    for line in lines[:-1]:
        if line:
            pending.append(line)
        elif pending or strict:
            assert pending, f"an empty line that ends no frame, behind frame {len(frames)}"
            frames.append(_frame(pending, strict=strict))
            pending = []
    return frames


def _frame(lines: list[str], *, strict: bool) -> Frame:
    fields: list[tuple[str, str]] = []
    for line in lines:
        name, _, value = line.partition(":")
        assert not strict or name in {"", "event", "data"}, f"a field that no client knows: {line[:80]!r}"
        fields.append((name, value.removeprefix(" ")))
    events = [value for name, value in fields if name == "event"]
    data = [value for name, value in fields if name == "data"]
    assert not strict or len(events) <= 1, f"two event lines in one frame: {events}"
    assert not strict or data or not events, f"an event without data: {events}"
    return Frame(events[-1] if events else "", "\n".join(data) if data else None)


def read_json(text: str | bytes) -> Any:
    """One JSON value. Raises AssertionError when it is none, or says a name twice, NaN or half a surrogate pair."""
    try:
        value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise AssertionError(f"not JSON ({error}): {text[:200]!r}") from error
    if _ESCAPED_HALF.search(text if isinstance(text, str) else text.decode()):
        assert not _HALF.search(json.dumps(value, ensure_ascii=False)), f"half a surrogate pair: {text[:200]!r}"
    return value


def read_object(text: str | bytes) -> dict[str, Any]:
    value = read_json(text)
    assert isinstance(value, dict), f"not a JSON object: {text[:200]!r}"
    return value


def need(mapping: dict[str, Any], name: str, kind: type | tuple[type, ...], where: str) -> Any:
    """The member `name`; asserts that it is there and of the type `kind` (a bool is no number)."""
    assert name in mapping, f"{where} has no {name!r}: {str(mapping)[:300]}"
    value = mapping[name]
    kinds = kind if isinstance(kind, tuple) else (kind,)
    fits = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
    assert fits, f"{where}.{name} is {value!r:.100}, not {' or '.join(each.__name__ for each in kinds)}"
    return value


def need_text(mapping: dict[str, Any], name: str, where: str) -> str:
    """The member `name`, asserted to be a text that is not empty."""
    value = need(mapping, name, str, where)
    assert value, f"{where}.{name} is empty"
    return str(value)


def check_arguments(arguments: str, where: str) -> None:
    """Asserts that a function's arguments are a JSON object; nothing at all stands for no arguments."""
    if arguments:
        read_object(arguments)
    assert "\ud800" not in arguments, where


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    assert len(value) == len(pairs), f"a name stands twice in one object: {[name for name, _ in pairs]}"
    return value


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")

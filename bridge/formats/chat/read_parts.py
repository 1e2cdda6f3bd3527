"""Chat Completions, request side: the content of one message read into the hub's parts."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from msgspec.structs import replace

from bridge.errors import BadRequest
from bridge.parts import Cache, Call, Document, Image, Part, Refusal, Result, Text

_HINTS = ("copilot_cache_control", "cache_control")
_TTL = {"5m": Cache.FIVE_MINUTES, "1h": Cache.ONE_HOUR}
_PDF = "application/pdf"


def read_content(content: object, place: str, dropped: list[str]) -> list[Part]:
    """The parts of a message's `content`: a string, a list of parts or null.

    Kinds of parts unknown here are added to `dropped`. Raises BadRequest with `place` at the head of its `param`.
    """
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [Text(content)]
    if not isinstance(content, list):
        raise BadRequest("'%(place)s' must be a string or a list of parts.", {"place": place}, param=place)
    parts = []
    for index, listed in enumerate(content):
        part = _part(listed, f"{place}[{index}]", dropped)
        if part is not None:
            parts.append(part)
    return parts


def cache_of(*values: object) -> Cache | None:
    """The caching breakpoint that a message, a part or a tool carries; the first that is found."""
    hints = [value.get(name) for value in values if isinstance(value, dict) for name in _HINTS]
    for hint in hints:
        if isinstance(hint, dict):
            ttl = hint.get("ttl")
            return _TTL.get(ttl, Cache.USUAL) if isinstance(ttl, str) else Cache.USUAL
    return None


def with_cache(parts: list[Part], cache: Cache | None) -> list[Part]:
    """The same parts with the breakpoint behind the last of them that can carry one."""
    if cache is None:
        return parts
    for index in range(len(parts) - 1, -1, -1):
        part = parts[index]
        if isinstance(part, Text | Image | Document | Call | Result):
            return [
                *parts[:index],
                replace(part, cache=cache if part.cache is None else part.cache),
                *parts[index + 1 :],
            ]
    return parts


def _part(listed: object, place: str, dropped: list[str]) -> Part | None:
    match listed:
        case str(text):
            return Text(text) if text else None
        case {"type": "text" | "input_text" | "output_text", "text": str(text)}:
            return Text(text, cache=cache_of(listed)) if text else None
        case {"type": "refusal", "refusal": str(text)}:
            return Refusal(text)
        case {"type": "image_url", "image_url": {"url": str(url)} as told}:
            detail = told.get("detail")
            return _image(url, detail if isinstance(detail, str) else "", cache_of(listed))
        case {"type": "image_url", "image_url": str(url)}:
            return _image(url, "", cache_of(listed))
        case {"type": "file", "file": dict(file)}:
            return _file(file, cache_of(listed))
        case {"type": "text" | "refusal" | "image_url" | "file"}:
            raise BadRequest("'%(place)s' must have a member named like its type.", {"place": place}, param=place)
        case {"type": str(kind)}:
            dropped.append(kind)
            return None
        case _:
            raise BadRequest("'%(place)s' must be an object with a 'type'.", {"place": place}, param=place)


def _image(url: str, detail: str, cache: Cache | None) -> Image:
    media_type, data = _data_url(url)
    if data:
        return Image(media_type=media_type, data=data, detail=detail, cache=cache)
    return Image(url=url, detail=detail, cache=cache)


def _file(file: dict[str, Any], cache: Cache | None) -> Part:
    """A file is a data URL or bare base64; what kind of bare base64 it is, is not told."""
    told = {name: value for name, value in file.items() if isinstance(value, str)}
    title, file_id = told.get("filename", ""), told.get("file_id", "")
    media_type, data = _data_url(told.get("file_data", ""))
    if not data:
        media_type, data = _PDF, told.get("file_data", "")
    if not data:
        return Document(file_id=file_id, title=title, cache=cache)
    if media_type.startswith("image/"):
        return Image(media_type=media_type, data=data, cache=cache)
    if media_type.startswith("text/") and (text := _decoded(data)) is not None:
        return Document(media_type=media_type, text=text, title=title, cache=cache)
    return Document(media_type=media_type, data=data, title=title, cache=cache)


def _data_url(url: str) -> tuple[str, str]:
    """The media type and the base64 of a data URL; empty when it is another kind of URL."""
    if url[:5].lower() != "data:":
        return "", ""
    head, _, data = url[5:].partition(",")
    kinds = head.split(";")
    return (kinds[0].strip().lower(), data) if kinds[-1].strip().lower() == "base64" else ("", "")


def _decoded(data: str) -> str | None:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, ValueError):
        return None

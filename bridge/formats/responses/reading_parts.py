"""The parts of a message or of a call's output, read."""

from __future__ import annotations

from typing import Any

from bridge.errors import BadRequest
from bridge.formats.responses.members import text
from bridge.parts import Citation, Document, Image, Refusal, Text

InputPart = Text | Refusal | Image | Document


def read_parts(content: Any, param: str, dropped: list[str], phase: str = "") -> list[InputPart]:
    """The parts of `content`, a text or a list; kinds that no other dialect knows are named in `dropped`."""
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(content, phase=phase)]
    if not isinstance(content, list):
        raise BadRequest("'%(name)s' must be a string or a list of parts.", {"name": param}, param=param)
    parts: list[InputPart] = []
    for index, raw in enumerate(content):
        place = f"{param}[{index}]"
        if not isinstance(raw, dict):
            raise BadRequest("'%(name)s' must be an object.", {"name": place}, param=place)
        part = _part(raw, place, phase)
        if part is None:
            dropped.append(text(raw, "type", place) or "content")
        else:
            parts.append(part)
    return parts


def read_citation(note: dict[str, Any]) -> Citation | None:
    """A `url_citation`; None for what cites no page."""
    url = note.get("url")
    if not isinstance(url, str) or not url:
        return None
    title = note.get("title")
    return Citation(
        url, title if isinstance(title, str) else "", _place(note.get("start_index")), _place(note.get("end_index"))
    )


def read_data_url(url: str) -> tuple[str, str] | None:
    """Media type and base64 of a data URL; None when it is none, or not base64."""
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    return head[len("data:") : -len(";base64")].partition(";")[0], data


def _part(raw: dict[str, Any], param: str, phase: str) -> InputPart | None:
    match raw.get("type"):
        case "input_text" | "text" | "summary_text":
            return Text(text(raw, "text", param), phase=phase)
        case "output_text":
            notes = raw.get("annotations")
            found = [read_citation(note) for note in notes if isinstance(note, dict)] if isinstance(notes, list) else []
            return Text(text(raw, "text", param), tuple(each for each in found if each is not None), phase=phase)
        case "refusal":
            return Refusal(text(raw, "refusal", param))
        case "input_image":
            return _image(raw, param)
        case "input_file":
            return _document(raw, param)
        case _:
            return None


def _image(raw: dict[str, Any], param: str) -> Image:
    url = text(raw, "image_url", param)
    detail = text(raw, "detail", param)
    found = read_data_url(url)
    if found is not None:
        return Image(media_type=found[0], data=found[1], detail=detail)
    return Image(url=url, file_id=text(raw, "file_id", param), detail=detail)


def _document(raw: dict[str, Any], param: str) -> Document:
    data, title = text(raw, "file_data", param), text(raw, "filename", param)
    if not data:
        return Document(url=text(raw, "file_url", param), file_id=text(raw, "file_id", param), title=title)
    media_type, content = read_data_url(data) or ("application/pdf", data)
    return Document(media_type=media_type, data=content, title=title)


def _place(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None

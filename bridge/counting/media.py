"""Tokens of pictures and documents: the size of a picture is read from the head of its file.

Rules: Claude charges width times height over 750 after scaling down
(https://docs.claude.com/en/docs/build-with-claude/vision), OpenAI a base and a price for every tile of 512 pixels
(https://platform.openai.com/docs/guides/images-vision). A page of a PDF is its text and, with Claude, a picture of it
(https://docs.claude.com/en/docs/build-with-claude/pdf-support).
"""

from __future__ import annotations

import binascii
import math
import re
import struct

_LONGEST_EDGE = 1568
_MOST_FOR_CLAUDE = 1600
_PIXELS_PER_TOKEN = 750
_TILE_BASE = 85
_TILE = 170
# A picture that nobody has seen: the dearest for Claude, a square of four tiles for OpenAI.
_UNSEEN_TILES = 4

_PAGE = 3000
_MOST_PAGES = 600
_PAGE_BYTES = 60_000
_PAGE_MARK = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")

# In characters of base64. A JPEG may carry a thumbnail and colour profiles before its size.
_HEAD = 4096
_JPEG_HEAD = 1 << 20
_PDF_HEAD = 8 << 20
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xDA)})


def claude_picture_tokens(size: tuple[int, int] | None) -> int:
    """Tokens of a picture of `size` (width, height in pixels; None: not known) with Claude."""
    if size is None:
        return _MOST_FOR_CLAUDE
    width, height = size
    shrink = min(1.0, _LONGEST_EDGE / max(width, height))
    return min(_MOST_FOR_CLAUDE, math.ceil(width * shrink * height * shrink / _PIXELS_PER_TOKEN))


def tiled_picture_tokens(size: tuple[int, int] | None, detail: str = "") -> int:
    """Tokens of a picture by OpenAI's tiles; `detail` is `low`, `high`, `auto` or empty."""
    if detail == "low":
        return _TILE_BASE
    if size is None:
        return _TILE_BASE + _UNSEEN_TILES * _TILE
    width, height = size
    shrink = min(1.0, 2048 / max(width, height))
    shrink *= min(1.0, 768 / (min(width, height) * shrink))
    tiles = math.ceil(width * shrink / 512) * math.ceil(height * shrink / 512)
    return _TILE_BASE + tiles * _TILE


def document_tokens(data: str) -> int:
    """Tokens of a PDF in base64; of one page when there is nothing to see (a URL, the id of a file)."""
    return _PAGE * max(1, min(_MOST_PAGES, _pages(data)))


def picture_size(data: str) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG, JPEG, GIF or WebP in base64; None when they cannot be read."""
    head = _decoded(data, _HEAD)
    if head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) >= 24:
        size = struct.unpack(">II", head[16:24])
    elif head[:6] in (b"GIF87a", b"GIF89a") and len(head) >= 10:
        size = struct.unpack("<HH", head[6:10])
    elif head[:4] == b"RIFF" and head[8:12] == b"WEBP" and len(head) >= 30:
        size = _webp_size(head)
    elif head[:2] == b"\xff\xd8":
        size = _jpeg_size(head) or _jpeg_size(_decoded(data, _JPEG_HEAD)) or (0, 0)
    else:
        return None
    width, height = size
    return (width, height) if width and height else None


def _decoded(data: str, limit: int) -> bytes:
    """The first bytes of base64, empty when it is none; `limit` in characters."""
    try:
        return binascii.a2b_base64(data[: min(limit, len(data)) // 4 * 4])
    except (binascii.Error, ValueError):
        return b""


def _webp_size(head: bytes) -> tuple[int, int]:
    match head[12:16]:
        case b"VP8 ":
            width, height = struct.unpack("<HH", head[26:30])
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
        case _:
            return 0, 0


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    """From the first frame header; None when it is not in these bytes."""
    position = 2
    while position + 9 <= len(head):
        marker = head[position + 1]
        if head[position] != 0xFF:
            return None
        if marker == 0xFF:
            position += 1
        elif marker in _WITHOUT_LENGTH:
            position += 2
        elif marker in _FRAMES:
            height, width = struct.unpack(">HH", head[position + 5 : position + 9])
            return width, height
        else:
            position += 2 + max(2, int.from_bytes(head[position + 2 : position + 4], "big"))
    return None


def _pages(data: str) -> int:
    """Pages that a PDF names in the open; newer ones compress their index, so that only their size speaks."""
    by_size = len(data) * 3 // 4 // _PAGE_BYTES + 1
    if len(data) > _PDF_HEAD:
        return by_size
    return len(_PAGE_MARK.findall(_decoded(data, _PDF_HEAD))) or by_size

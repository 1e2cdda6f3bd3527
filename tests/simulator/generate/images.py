"""Reading the media type and the pixel size out of the first bytes of an image."""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass

_NO_FRAME = (0xC4, 0xC8, 0xCC)


@dataclass(frozen=True, slots=True)
class Image:
    """`media_type` as the bytes say; width and height in pixels, 0 when the header does not tell."""

    media_type: str
    width: int
    height: int

    @property
    def tokens(self) -> int:
        return max(1, -(-self.width * self.height // 750))

    def __str__(self) -> str:
        if not self.width:
            return f"{self.media_type} of unknown size"
        return f"{self.media_type}, {self.width}x{self.height} pixels"


def from_data_url(url: str) -> Image:
    """The image inside a `data:` URL; for any other URL the type is unknown."""
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:"):
        return Image("image/unknown", 0, 0)
    return from_base64(data, head[5:].partition(";")[0])


def from_base64(data: str, media_type: str) -> Image:
    """The image in base64 `data`; `media_type` is the sender's claim, used when the bytes say nothing."""
    try:
        raw = base64.b64decode(data)
    except (binascii.Error, ValueError):
        raw = b""
    return _measured(raw) or Image(media_type or "image/unknown", 0, 0)


def _measured(raw: bytes) -> Image | None:
    if raw.startswith(b"\x89PNG\r\n\x1a\n") and len(raw) >= 24:
        return Image("image/png", *struct.unpack(">II", raw[16:24]))
    if raw.startswith((b"GIF87a", b"GIF89a")) and len(raw) >= 10:
        return Image("image/gif", *struct.unpack("<HH", raw[6:10]))
    if raw.startswith(b"\xff\xd8"):
        return Image("image/jpeg", *_jpeg_size(raw))
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP" and len(raw) >= 30:
        return Image("image/webp", *_webp_size(raw))
    return None


def _jpeg_size(raw: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(raw) and raw[at] == 0xFF:
        marker = raw[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            height, width = struct.unpack(">HH", raw[at + 5 : at + 9])
            return width, height
        at += 2 + int(struct.unpack(">H", raw[at + 2 : at + 4])[0])
    return 0, 0


def _webp_size(raw: bytes) -> tuple[int, int]:
    kind = raw[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(raw[24:27], "little"), 1 + int.from_bytes(raw[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(raw[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", raw[26:30])
    return width & 0x3FFF, height & 0x3FFF

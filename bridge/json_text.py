r"""JSON as other programs really write it: lone surrogates, which are no text, become U+FFFD.

JavaScript cuts strings between the two halves of a character beyond U+FFFF and writes what is left as `\ud83d`.
The grammar of JSON allows that (https://www.rfc-editor.org/rfc/rfc8259#section-8.2), strict decoders do not.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

# Pairs and every other escape are matched as well, so that a half is never looked for inside of them.
_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)
_decode = msgspec.json.Decoder().decode


def mend_surrogates(text: bytes) -> bytes:
    r"""The same JSON with `\ufffd` for every half of a surrogate pair that stands alone."""
    if b"\\ud" not in text and b"\\uD" not in text:
        return text
    return _ESCAPES.sub(lambda match: rb"\ufffd" if match[1] else match[0], text)


def decode_object(text: bytes) -> dict[str, Any] | None:
    """The JSON object in `text`; None when it is not JSON, nested without end, or no object."""
    try:
        value = _decode(mend_surrogates(text))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return value if isinstance(value, dict) else None

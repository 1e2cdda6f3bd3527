"""Chat Completions, learned repairs: what an upstream's refusal tells to leave out of the next try."""

from __future__ import annotations

import re

from bridge.formats.chat.request import ChatRequest

_NAMED = (
    re.compile(r"Unsupported (?:parameter|value): '([A-Za-z_]+)'"),
    re.compile(r"Unknown parameter: '([A-Za-z_]+)'"),
    re.compile(r"Unrecognized request argument supplied: ([A-Za-z_]+)"),
    re.compile(r"^([A-Za-z_]+): Extra inputs are not permitted"),
)
_NEEDED = frozenset({"model", "messages", "stream", "stream_options"})


def refused_field(message: str, request: ChatRequest) -> str | None:
    """The top-level field that `message` names as refused, if this request carries it and can do without."""
    for pattern in _NAMED:
        match = pattern.search(message)
        if match is not None and match[1] in request.fields and match[1] not in _NEEDED:
            return match[1]
    return None

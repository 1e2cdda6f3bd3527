"""Tool names that the upstream refuses, on the verbatim road: sent under another name, given their own back.

Quirk tool-names: names are held to `^[a-zA-Z0-9_-]{1,64}$` and `tool_search` is reserved. The namespace
`collaboration` is reserved as well, but for the very tools that Codex sends under it, so it stays. A name made here
is recognised by its shape, so that an answer costs a look into the request only when it calls such a tool.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from bridge import call_ids
from bridge.asked import Asked

RESERVED = frozenset({"tool_search"})
_FITTING = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_UNFIT = re.compile(r"[^a-zA-Z0-9_-]")
_MARK = "_x"
_DIGEST_SIZE = 8


def fitted_name(name: str) -> str:
    """The same name, or the one to send in its place."""
    if _FITTING.fullmatch(name) and name not in RESERVED:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_SIZE]
    return _UNFIT.sub("_", name)[: 64 - len(_MARK) - _DIGEST_SIZE] + _MARK + digest


def restored_name(name: str, asked: Asked) -> str:
    """The name that the caller knows a tool or namespace by."""
    if name[-_DIGEST_SIZE - len(_MARK) : -_DIGEST_SIZE] != _MARK:
        return name
    return next((own for own in _names(asked) if own != name and fitted_name(own) == name), name)


def fitted_call_id(call_id: str) -> str:
    """Quirk responses-call-ids: ids of more than 64 characters (other vendors make them) are refused."""
    return call_id if len(call_id) <= call_ids.LENGTH_LIMIT else call_ids.fit(call_id)


def _names(asked: Asked) -> Iterator[str]:
    """Every name in the caller's tools, those of the input's own lists of tools included."""
    lists = [asked.fields["tools"]] if "tools" in asked.fields else []
    lists += [entry for entry in asked.entries if b'"tools"' in bytes(entry)]
    pending: list[Any] = [msgspec.json.decode(each) for each in lists]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, dict):
            if isinstance(name := value.get("name"), str):
                yield name
            if "tools" in value:
                pending.append(value["tools"])

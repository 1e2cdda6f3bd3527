"""Ids of tool calls, fitted to the strictest dialect: Anthropic takes letters, digits, `_` and `-` alone."""

from __future__ import annotations

import hashlib
import re

LENGTH_LIMIT = 64
_HASH_SIZE = 8
_FITS = re.compile(rf"[a-zA-Z0-9_-]{{1,{LENGTH_LIMIT}}}")
_ODD = re.compile(r"[^a-zA-Z0-9_-]")


def fit(call_id: str) -> str:
    """The same id when it fits; else one made from it, the same each time and for no other id.

    Source of the pattern: https://docs.claude.com/en/api/messages (`tool_use.id`).
    """
    if _FITS.fullmatch(call_id):
        return call_id
    mark = hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_SIZE]
    readable = _ODD.sub("_", call_id)[: LENGTH_LIMIT - _HASH_SIZE - 1] or "call"
    return f"{readable}_{mark}"


class Distinct:
    """Fits the ids of one answer and keeps them apart: upstreams have given two calls one id."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def fit(self, call_id: str) -> str:
        fitted, number = fit(call_id), 1
        while fitted in self._given:
            number += 1
            fitted = fit(f"{call_id}#{number}")
        self._given.add(fitted)
        return fitted

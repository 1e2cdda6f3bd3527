"""Seals that travel in the ids of tool calls, for clients that give back nothing else unread.

Quirk gemini-seal-in-ids: Gemini refuses the history of a tool loop without the `reasoning_opaque` its calls came with,
and no client program of the standard knows that member. The id of a call all of them give back as it was:

    call_abc123__seal__<base64url of the seal>

The id is made whole again, and the seal put where it belongs, before anything goes upstream.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

MARK = "__seal__"
# Longer ones are not sent: an id is no place for them, and it is said twice in every later request.
_LIMIT = 16 * 1024


def needs_seal(model: str) -> bool:
    """Whether calls of `model` (a name or a family) are refused without their seal."""
    return "gemini" in model


def seal_id(call_id: str, seal: str) -> str:
    """The id of a call with the seal in it; the plain id when the seal is too long to travel."""
    if len(seal) > _LIMIT:
        return call_id
    return f"{call_id}{MARK}{base64.urlsafe_b64encode(seal.encode()).decode().rstrip('=')}"


class Sealer:
    """Puts the seal of an answer into the id of its first call. Calls wait for a seal that comes behind them."""

    def __init__(self) -> None:
        self._seal = ""
        self._is_sealed = False
        self._waiting: list[dict[str, Any]] = []

    def seal(self, delta: dict[str, Any]) -> dict[str, Any]:
        """The delta with what may be said of calls by now."""
        seal = delta.get("reasoning_opaque") or delta.get("signature")
        if isinstance(seal, str) and seal:
            self._seal = seal
        self._waiting += delta.get("tool_calls", ())
        rest = {name: value for name, value in delta.items() if name != "tool_calls"}
        if not self._waiting or not (self._seal or self._is_sealed):
            return rest
        return rest | {"tool_calls": self.waiting()}

    def waiting(self) -> list[dict[str, Any]]:
        """The calls that waited, the first of them sealed if that can be; they wait no longer."""
        calls, self._waiting = self._waiting, []
        for call in calls if self._seal else ():
            if "id" in call:
                call["id"], self._seal = seal_id(call["id"], self._seal), ""
                self._is_sealed = True
                break
        return calls


def open_id(call_id: str) -> tuple[str, str]:
    """The plain id, and the seal that was in it or nothing."""
    plain, mark, packed = call_id.partition(MARK)
    if not mark:
        return call_id, ""
    try:
        seal = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        seal = ""
    return plain, seal

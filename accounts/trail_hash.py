"""The seal of a trail entry.

    hash = SHA-256( hash of the entry before | canonical JSON of every column of this one )

Canonical JSON has sorted names, no spaces and only ASCII characters, so that every program computes the same bytes.
The first entry is sealed with sixty-four zeros. Times are UTC with microseconds.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Content:
    """The columns of an entry but its own hash; `detail` is JSON text."""

    number: int
    at: datetime
    actor_id: int | None
    actor_name: str
    action: str
    subject_type: str
    subject_id: str
    subject_name: str
    detail: str
    reason: str
    previous_hash: str

    @property
    def hash(self) -> str:
        columns = asdict(self) | {"at": self.at.astimezone(UTC).isoformat(timespec="microseconds")}
        return hashlib.sha256(f"{self.previous_hash}|{canonical(columns)}".encode()).hexdigest()


def canonical(value: object) -> str:
    """Return a JSON value in the one form that is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def plain(text: str, limit: int) -> str:
    """Return text that every database gives back as it was stored: no NUL, no lone surrogates, not too long."""
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode()
    return clean if len(clean) <= limit else f"{clean[: limit - 1]}…"

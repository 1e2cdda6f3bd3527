"""Replies that callers asked to keep, and their way back: only for the same key, only for a while.

One reply and the conversation before it have a limit of bytes, and so have all replies of a key (`KEPT_AT_ONCE` times
as many): a client that keeps every turn of a long conversation pushes its own oldest turns out and fills no disk.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from django.conf import settings
from django.db.models import Sum

from accounts.database import in_thread
from accounts.models import StoredReply
from accounts.retention import delete_expired_replies
from accounts.vault import VaultLocked

logger = logging.getLogger(__name__)

KEPT_AT_ONCE = 64
SWEEP_SECONDS = 600.0
# Nothing else was ever stored, and no database is asked for text that it cannot hold.
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True, slots=True)
class StoredContent:
    """A response object and the items of input that led to it, all as JSON."""

    response: bytes
    items: tuple[bytes, ...]


class _Content(msgspec.Struct):
    response: msgspec.Raw
    input: list[msgspec.Raw]


_read_content = msgspec.json.Decoder(_Content).decode


class Replies:
    """The stored replies of this installation; `now` is seconds since the epoch."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._swept_at = -SWEEP_SECONDS

    @property
    def is_on(self) -> bool:
        """Whether replies are stored here and can be asked for."""
        return bool(settings.BRIDGE_STORE_REPLIES)

    async def keep(self, key: int, response_id: str, response: bytes, items: Sequence[bytes]) -> bool:
        """Store a response object with its input. False: it is larger than the limit, or nothing is stored here.

        Raises DatabaseError when it cannot be written.
        """
        size = len(response) + sum(len(item) for item in items)
        if not self.is_on or size > settings.BRIDGE_STORED_REPLY_LIMIT or not _ID.fullmatch(response_id):
            return False
        at = self._now()
        await in_thread(_keep)(key, response_id, response, items, size, _moment(at))
        if at - self._swept_at >= SWEEP_SECONDS:
            await self.sweep()
        return True

    async def find(self, key: int, response_id: str) -> StoredContent | None:
        """What `key` stored under `response_id`; None when it is unknown, expired, deleted or another key's."""
        if not self.is_on or not _ID.fullmatch(response_id):
            return None
        return await in_thread(_find)(key, response_id, _moment(self._now()))

    async def delete(self, key: int, response_id: str) -> bool:
        """Delete what `find` would have found, also where nothing is stored any more; False when there was nothing."""
        if not _ID.fullmatch(response_id):
            return False
        return await in_thread(_delete)(key, response_id, _moment(self._now()))

    async def sweep(self) -> int:
        """Delete what has expired, everything when nothing is stored any more; returns how many replies that were."""
        self._swept_at = self._now()
        return await in_thread(delete_expired_replies)(_moment(self._swept_at))


def _keep(key: int, response_id: str, response: bytes, items: Sequence[bytes], size: int, at: datetime) -> None:
    content = b"".join((b'{"response":', response, b',"input":[', b",".join(items), b"]}"))
    StoredReply.objects.create(
        id=response_id,
        key_id=key,
        created_at=at,
        expires_at=at + timedelta(hours=settings.BRIDGE_STORED_REPLY_HOURS),
        size=size,
        content=content.decode(),
    )
    _push_out(key, at)


def _push_out(key: int, at: datetime) -> None:
    """Delete the oldest replies of a key that holds too much."""
    rows = StoredReply.objects.of_key(key, at)
    held: int = rows.aggregate(held=Sum("size"))["held"] or 0
    excess = held - KEPT_AT_ONCE * settings.BRIDGE_STORED_REPLY_LIMIT
    while excess > 0 and (oldest := rows.defer("content").first()) is not None:
        excess -= oldest.size
        oldest.delete()


def _find(key: int, response_id: str, at: datetime) -> StoredContent | None:
    row = StoredReply.objects.of_key(key, at).filter(id=response_id).first()
    if row is None or row.content is None:
        return None
    try:
        content = _read_content(row.content.reveal())
    except VaultLocked as fault:
        logger.error("The stored reply %s cannot be read: %s", response_id, fault)
        return None
    return StoredContent(bytes(content.response), tuple(bytes(item) for item in content.input))


def _delete(key: int, response_id: str, at: datetime) -> bool:
    deleted, _per_model = StoredReply.objects.of_key(key, at).filter(id=response_id).delete()
    return deleted > 0


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

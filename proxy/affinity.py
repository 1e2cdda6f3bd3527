"""Which seat served a conversation last, so that it stays there: prompt caches and ciphertexts do not move along.

Kept in memory for the newest conversations. What is not there is looked up in the ledger, so that a restart, or the
next request at another replica, does not move a conversation.
"""

from __future__ import annotations

import logging
from collections import OrderedDict

from django.db import DatabaseError

from accounts.database import in_thread
from accounts.models import UsageRecord, UsageStatus

logger = logging.getLogger(__name__)

MOST_CONVERSATIONS = 20_000
# Of rows that still run, or ended with their process, the answer may have begun.
_SERVED = (UsageStatus.SETTLED, UsageStatus.CANCELLED, UsageStatus.OPEN, UsageStatus.ABANDONED)


class Affinity:
    """Conversations of this process, by their name and the key they were held with."""

    def __init__(self, most: int = MOST_CONVERSATIONS) -> None:
        self._most = most
        self._seats: OrderedDict[tuple[str, int], int] = OrderedDict()

    def note(self, session: str, key: int, seat: int) -> None:
        """`seat` answers this conversation."""
        if not session:
            return
        self._seats[session, key] = seat
        self._seats.move_to_end((session, key))
        if len(self._seats) > self._most:
            self._seats.popitem(last=False)

    def known(self, session: str, key: int) -> int | None:
        """The seat that answered last as far as this process remembers."""
        return self._seats.get((session, key))

    async def last_seat(self, session: str, key: int) -> int | None:
        """The same, or as the ledger remembers; None for a new conversation, and when the ledger cannot be read."""
        known = self.known(session, key)
        if known is not None or not session:
            return known
        try:
            found = await in_thread(seat_in_ledger)(session, key)
        except DatabaseError as error:
            logger.warning("The ledger cannot be asked which seat served a conversation: %s", error)
            return None
        if found is not None:
            self.note(session, key, found)
        return found


def seat_in_ledger(session: str, key: int) -> int | None:
    """The seat of the newest row of a conversation that was answered; one look into the index by conversation."""
    rows = UsageRecord.objects.filter(session=session, key=key, status__in=_SERVED, seat__isnull=False)
    # Said again for the index, which leaves rows without a conversation out.
    return rows.exclude(session="").order_by("-id").values_list("seat", flat=True).first()

"""What the upstream client remembers, kept in the tables of seats and model lists.

A lease is one conditional update whose count is looked at; nothing here holds a transaction, and none of
it steps the epoch except a refusal, which takes the seat out of service.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from accounts.database import in_thread
from accounts.models import CatalogueCopy, Seat, SeatState
from accounts.vault import VaultLocked
from bridge.copilot.stores import AppCredential, CredentialKind, SeatCredential, StoredCatalogue
from bridge.copilot.tokens import CopilotToken
from bridge.copilot.verdicts import SeatVerdict
from bridge.errors import Internal, SeatRequired

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.copilot.verdicts import TokenRefused

_OUT_OF_SERVICE = frozenset({SeatState.NEEDS_LOGIN, SeatState.SUSPENDED, SeatState.DISABLED})
_NO_TOKEN: dict[str, Any] = {"copilot_token": None, "copilot_expires_at": None, "copilot_renew_at": None}
_NO_LEASE: dict[str, Any] = {"lease_owner": "", "lease_until": None}


class SeatStore:
    """The token store on the table of seats; `now` is seconds since the epoch."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now

    async def read(self, seat: int) -> SeatCredential:
        return await in_thread(read_credential)(seat)

    async def claim(self, seat: int, owner: str, seconds: float) -> bool:
        return await in_thread(_claim)(seat, owner, self._now(), seconds)

    async def save(self, seat: int, owner: str, token: CopilotToken) -> None:
        await in_thread(_save)(seat, owner, token)

    async def release(self, seat: int, owner: str) -> None:
        await in_thread(_release)(seat, owner)

    async def refuse(self, seat: int, refusal: TokenRefused) -> None:
        await in_thread(refuse_seat)(seat, refusal)

    async def discard(self, seat: int, token: CopilotToken) -> None:
        await in_thread(_discard)(seat, token)


class CatalogueCopies:
    """The catalogue store on the table of model lists."""

    async def load(self, seat: int) -> StoredCatalogue | None:
        return await in_thread(_load_catalogue)(seat)

    async def store(self, seat: int, body: bytes, at: float) -> None:
        await in_thread(_store_catalogue)(seat, body, at)


def read_credential(seat: int) -> SeatCredential:
    """Return a seat's secrets; raises SeatRequired for a seat out of service, Internal when they cannot be read."""
    row = Seat.objects.filter(pk=seat).first()
    if row is None:
        raise SeatRequired("This seat no longer exists.")
    if row.state in _OUT_OF_SERVICE or row.sign_in is None:
        raise SeatRequired("The seat %(seat)s cannot be used: %(reason)s", {"seat": str(row), "reason": _why(row)})
    try:
        secret = row.sign_in.reveal()
    except VaultLocked as fault:
        raise Internal("The token of seat %(seat)s cannot be decrypted.", {"seat": str(row)}) from fault
    kind = CredentialKind(row.kind)
    copilot = _read_token(row)
    if kind is CredentialKind.APP:
        app = AppCredential(row.app_id, row.installation_id or 0, secret)
        return SeatCredential(seat, row.host, kind, copilot=copilot, app=app)
    return SeatCredential(seat, row.host, kind, github_token=secret, copilot=copilot)


def token_columns(token: CopilotToken) -> dict[str, Any]:
    """Return the columns of a seat that hold a Copilot token."""
    return {
        "copilot_token": token.token,
        "copilot_expires_at": _moment(token.expires_at),
        "copilot_renew_at": _moment(token.renew_at),
        "api_base": token.api_base,
        **({"sku": token.sku} if token.sku else {}),
    }


def refuse_seat(seat: int, refusal: TokenRefused) -> None:
    """Put a seat into the state that follows from GitHub's refusal, with the reason in words."""
    row = Seat.objects.filter(pk=seat).first()
    if row is None:
        return
    Seat.objects.filter(pk=seat).quiet_update(**_NO_TOKEN)
    match refusal.state:
        case SeatVerdict.SUSPENDED:
            row.suspend(str(refusal))
        case SeatVerdict.NEEDS_LOGIN | SeatVerdict.NO_ACCESS:
            # Without access there is nothing to renew; a seat check or a new login finds out when there is again.
            row.require_login(str(refusal))


def _claim(seat: int, owner: str, now: float, seconds: float) -> bool:
    free = Q(lease_until=None) | Q(lease_until__lte=_moment(now)) | Q(lease_owner=owner)
    rows = Seat.objects.filter(free, pk=seat)
    return rows.quiet_update(lease_owner=owner, lease_until=_moment(now + seconds)) == 1


def _save(seat: int, owner: str, token: CopilotToken) -> None:
    columns = token_columns(token) | _NO_LEASE
    Seat.objects.filter(pk=seat, lease_owner=owner).quiet_update(**columns)


def _release(seat: int, owner: str) -> None:
    Seat.objects.filter(pk=seat, lease_owner=owner).quiet_update(**_NO_LEASE)


def _discard(seat: int, token: CopilotToken) -> None:
    Seat.objects.filter(pk=seat, copilot_expires_at=_moment(token.expires_at)).quiet_update(**_NO_TOKEN)


def _read_token(row: Seat) -> CopilotToken | None:
    if row.copilot_token is None or row.copilot_expires_at is None or row.copilot_renew_at is None:
        return None
    try:
        text = row.copilot_token.reveal()
    except VaultLocked:
        return None  # it can be exchanged anew
    return CopilotToken(
        token=text,
        expires_at=row.copilot_expires_at.timestamp(),
        renew_at=row.copilot_renew_at.timestamp(),
        api_base=row.api_base,
        sku=row.sku,
    )


def _load_catalogue(seat: int) -> StoredCatalogue | None:
    copy = CatalogueCopy.objects.filter(pk=seat).first()
    return None if copy is None else StoredCatalogue(bytes(copy.body), copy.fetched_at.timestamp())


def _store_catalogue(seat: int, body: bytes, at: float) -> None:
    CatalogueCopy.objects.bulk_create(
        [CatalogueCopy(seat_id=seat, body=body, fetched_at=_moment(at))],
        update_conflicts=True,
        unique_fields=["seat"],
        update_fields=["body", "fetched_at"],
    )


def _why(row: Seat) -> str:
    return row.state_reason or row.get_state_display()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

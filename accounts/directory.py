"""What the request path must know of keys, members, seats and routes, held in memory.

Every change of one of those rows takes a step of the epoch row in the same transaction. A thread of each
process reads that row every half second, off the event loop, and loads a new `Snapshot` when it moved: a
revoked key is refused everywhere within a second. A snapshot is never changed, only replaced.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import DatabaseError, close_old_connections, connection
from django.db.models import Q

from accounts.allowance import EVERYTHING, Allowance
from accounts.models import ApiKey, Budget, Door, Epoch, ModelRoute, Seat
from accounts.prices.card import RateCard, load_card
from accounts.quotas.levels import UNKNOWN, Levels
from accounts.quotas.readings import levels_of
from accounts.secrets import digest
from bridge.errors import BadKey

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Caller:
    """An API key and whose it is, what it may do (`own`) and what its team may (`shared`)."""

    key: int
    key_name: str
    key_hint: str
    member: int
    member_name: str
    team: int | None
    team_name: str
    own: Allowance
    shared: Allowance
    expires_at: float | None
    language: str

    @property
    def allowances(self) -> tuple[Allowance, Allowance]:
        return self.own, self.shared

    def check_door(self, door: str, address: str | None) -> None:
        """Raises Forbidden when this key or its team may not enter `door`, or not from `address`."""
        self.own.check_door(door, address)
        if door == Door.MANAGEMENT:
            self.shared.check_address(address)  # what a key may manage, its member's role says
        else:
            self.shared.check_door(door, address)

    def check_address(self, address: str | None) -> None:
        """Raises Forbidden when this key or its team may not be used from `address`."""
        for allowance in self.allowances:
            allowance.check_address(address)

    def check_model(self, *names: str) -> None:
        """Raises Forbidden when none of `names` (as requested, as served) is allowed for this key and its team."""
        for allowance in self.allowances:
            allowance.check_model(*names)


@dataclass(frozen=True, slots=True)
class SeatEntry:
    """A seat as the choice of one needs it; `until` is Unix time.

    `credential` is a fingerprint that changes when the account is connected anew; `levels` is what was known to be left
    of it when the entry was read.
    """

    id: int
    name: str
    owner: int | None
    host: str
    kind: str
    serves: str
    teams: frozenset[int]
    state: str
    until: float | None
    reason: str
    credential: str = ""
    levels: Levels = UNKNOWN
    token_based: bool = False
    """GitHub said of the account that it pays by token."""

    def is_usable(self, now: float) -> bool:
        return self.state == "active" or self.is_rested(now)

    def is_rested(self, now: float) -> bool:
        return self.state in ("cooling", "exhausted") and self.until is not None and self.until <= now


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """A route; `team`, `member` and `key` are None unless its scope names them."""

    id: int
    pattern: str
    scope: str
    team: int | None
    member: int | None
    key: int | None
    priority: int
    target: str
    fallbacks: tuple[str, ...]
    origin: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`callers` may begin requests; those of `keys` may end theirs, though the key has expired meanwhile."""

    epoch: int
    callers: Mapping[str, Caller]
    keys: frozenset[int]
    seats: tuple[SeatEntry, ...]
    routes: tuple[RouteEntry, ...]
    budgets: frozenset[tuple[str, int | None]] = frozenset()
    prices: RateCard = field(default_factory=RateCard)

    def is_budgeted(self, caller: Caller) -> bool:
        """Whether a hard budget in force concerns `caller`, so that requests must say what they may cost."""
        subjects = (("installation", None), ("team", caller.team), ("member", caller.member), ("key", caller.key))
        return any(subject in self.budgets for subject in subjects)

    def caller(self, secret: str | None, now: float) -> Caller:
        """Who calls with `secret`. Raises BadKey."""
        if not secret:
            raise BadKey("No API key was sent. Send yours as 'Authorization: Bearer ...' or 'x-api-key'.")
        caller = self.callers.get(digest(secret))
        if caller is None or (caller.expires_at is not None and caller.expires_at <= now):
            raise BadKey("This API key is unknown, revoked or expired. Check it, or ask the gateway's owner for one.")
        return caller


EMPTY = Snapshot(-1, {}, frozenset(), (), ())


def load_snapshot() -> Snapshot:
    """Read everything from the database. The epoch is read first: what is read after it is at least as new."""
    epoch = Epoch.current()
    keys = ApiKey.objects.live().filter(member__is_active=True).select_related("member", "member__team")
    callers = _callers(keys)
    seats = Seat.objects.prefetch_related("teams").filter(Q(owner__isnull=True) | Q(owner__is_active=True))
    routes = ModelRoute.objects.filter(active=True)
    return Snapshot(
        epoch,
        callers,
        frozenset(ApiKey.objects.filter(revoked_at=None, member__is_active=True).values_list("pk", flat=True)),
        tuple(_seat(seat) for seat in seats.order_by("id")),
        tuple(_route(route) for route in routes.order_by("id")),
        frozenset((budget.scope, budget.subject_id) for budget in Budget.objects.filter(active=True, hard=True)),
        load_card(),
    )


class Directory:
    """Holds the newest snapshot; `start` loads one and begins to watch.

    `on_change` is called with each new one, in the watching thread.
    """

    def __init__(self, on_change: Callable[[Snapshot], None], *, poll_seconds: float = POLL_SECONDS) -> None:
        self.snapshot = EMPTY
        self.fault: str | None = "the directory was not loaded yet"
        self._on_change = on_change
        self._poll_seconds = poll_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="directory", daemon=True)

    def start(self) -> None:
        """Blocks until the first look at the database is done, well or not."""
        self._look()
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _watch(self) -> None:
        while not self._stopped.wait(self._poll_seconds):
            self._look()
        connection.close()

    def _look(self) -> None:
        close_old_connections()
        try:
            if Epoch.current() != self.snapshot.epoch or self.fault is not None:
                self.snapshot = load_snapshot()
                self._on_change(self.snapshot)
            self.fault = None
        except DatabaseError as error:
            if self.fault is None:
                logger.error("The database cannot be read; keys and routes stay as last known: %s", error)
            self.fault = f"the database cannot be read: {error}"
            connection.close()


def _callers(keys: Iterable[ApiKey]) -> dict[str, Caller]:
    """A key whose limits cannot be read opens nothing; the others are as they were."""
    callers: dict[str, Caller] = {}
    for key in keys:
        try:
            callers[key.digest] = caller_of(key)
        except (ValueError, TypeError) as error:
            logger.error("The API key %s is left out, its limits cannot be read: %s", key.hint, error)
    return callers


def caller_of(key: ApiKey) -> Caller:
    """Raises ValueError or TypeError when the limits of the key or of its team cannot be read."""
    member = key.member
    team = member.team if member.team is not None and member.team.active else None
    return Caller(
        key=key.pk,
        key_name=key.name or key.hint,
        key_hint=key.hint,
        member=member.pk,
        member_name=member.get_username(),
        team=team.pk if team else None,
        team_name=team.name if team else "",
        own=Allowance.of(key),
        shared=Allowance.of(team) if team else EVERYTHING,
        expires_at=key.expires_at.timestamp() if key.expires_at else None,
        language=member.language,
    )


def _seat(seat: Seat) -> SeatEntry:
    return SeatEntry(
        id=seat.pk,
        name=str(seat),
        owner=seat.owner_id,
        host=seat.host,
        kind=seat.kind,
        serves=seat.serves,
        teams=frozenset(team.pk for team in seat.teams.all()),
        state=seat.state,
        until=seat.state_until.timestamp() if seat.state_until else None,
        reason=seat.state_reason,
        credential=digest(seat.sign_in.ciphertext) if seat.sign_in else "",
        levels=levels_of(seat),
        token_based=any(told.get("token_based") is True for told in seat.quota.values() if isinstance(told, dict)),
    )


def _route(route: ModelRoute) -> RouteEntry:
    return RouteEntry(
        id=route.pk,
        pattern=route.pattern,
        scope=route.scope,
        team=route.team_id,
        member=route.member_id,
        key=route.key_id,
        priority=route.priority,
        target=route.target,
        fallbacks=tuple(route.fallbacks),
        origin=route.origin,
    )


def touch(table: type[ApiKey] | type[Seat], used: Mapping[int, float]) -> None:
    """Note when keys or seats were last used (id -> Unix time); the epoch stays as it is."""
    for row, at in used.items():
        table.objects.filter(pk=row).quiet_update(last_used_at=datetime.fromtimestamp(at, tz=UTC))

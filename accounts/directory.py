"""What the request path must know of keys, members, seats and routes, held in memory.

Every change of one of those rows takes a step of the epoch row in the same transaction. A thread of each
process reads that row every half second, off the event loop, and loads a new `Snapshot` when it moved: a
revoked key is refused everywhere within a second. A snapshot is never changed, only replaced.
"""

from __future__ import annotations

import ipaddress
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from django.db import DatabaseError, close_old_connections, connection
from django.db.models import Q

from accounts.models import ApiKey, Epoch, ModelRoute, Seat
from accounts.secrets import digest
from bridge.errors import BadKey, Forbidden

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Caller:
    """An API key and whose it is; empty limits admit everything."""

    key: int
    key_name: str
    key_hint: str
    member: int
    member_name: str
    team: int | None
    team_name: str
    doors: frozenset[str]
    models: tuple[str, ...]
    networks: tuple[Network, ...]
    expires_at: float | None
    language: str

    def check_door(self, door: str, address: str | None) -> None:
        """Raises Forbidden when this key may not enter `door`, or not from `address`."""
        if self.doors and door not in self.doors:
            raise Forbidden("This key may not use %(door)s. Ask the gateway's owner for one that may.", {"door": door})
        if self.networks and not _is_within(address, self.networks):
            raise Forbidden("This key may not be used from your address. Ask the gateway's owner.")

    def check_model(self, *names: str) -> None:
        """Raises Forbidden when none of `names` (as requested, as served) is allowed for this key."""
        if self.models and not any(fits(pattern, name) for name in names for pattern in self.models):
            raise Forbidden(
                "This key may not use the model %(model)s; it may use: %(allowed)s.",
                {"model": names[0], "allowed": ", ".join(self.models)},
                param="model",
            )


@dataclass(frozen=True, slots=True)
class SeatEntry:
    """A seat as the choice of one needs it; `until` is Unix time.

    `credential` is a fingerprint that changes when the account is connected anew.
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
    epoch: int
    callers: Mapping[str, Caller]
    keys: frozenset[int]
    seats: tuple[SeatEntry, ...]
    routes: tuple[RouteEntry, ...]

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
        frozenset(caller.key for caller in callers.values()),
        tuple(_seat(seat) for seat in seats.order_by("id")),
        tuple(_route(route) for route in routes.order_by("id")),
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
            callers[key.digest] = _caller(key)
        except (ValueError, TypeError) as error:
            logger.error("The API key %s is left out, its limits cannot be read: %s", key.hint, error)
    return callers


def _caller(key: ApiKey) -> Caller:
    member = key.member
    return Caller(
        key=key.pk,
        key_name=key.name or key.hint,
        key_hint=key.hint,
        member=member.pk,
        member_name=member.get_username(),
        team=member.team.pk if member.team else None,
        team_name=member.team.name if member.team else "",
        doors=frozenset(key.doors),
        models=tuple(key.models),
        networks=tuple(ipaddress.ip_network(address, strict=False) for address in key.addresses),
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
        credential=digest(seat.github_token.ciphertext) if seat.github_token else "",
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


def _is_within(address: str | None, networks: tuple[Network, ...]) -> bool:
    if address is None:
        return False
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def fits(pattern: str, name: str) -> bool:
    """Whether `name` is what `pattern` names; `*` alone is a wildcard, `[1m]` is a part of model names."""
    return fnmatchcase(name, pattern.replace("[", "[[]").replace("?", "[?]")) if "*" in pattern else pattern == name


def touch(table: type[ApiKey] | type[Seat], used: Mapping[int, float]) -> None:
    """Note when keys or seats were last used (id -> Unix time); the epoch stays as it is."""
    for row, at in used.items():
        table.objects.filter(pk=row).quiet_update(last_used_at=datetime.fromtimestamp(at, tz=UTC))

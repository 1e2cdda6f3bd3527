"""Which model serves a requested name, and which seat pays: decisions over a snapshot, without the database.

Routes. The closest scope wins (key, member, team, everyone), then the higher priority, then rows made in
the console over those from the environment or shipped, then exact names over wildcards, then the longer
pattern. A target that is not live gives way to the route's fallbacks, then to the requested name itself
if that is live.

Seats. A member's own seat first; a seat that serves the team stands in when the member has no own seat,
or when the own one cannot be used at all (needs login, suspended, disabled). From an own seat that is
merely exhausted or told to slow down, requests move to a team seat only when the operator switched
overflow on; then they also leave an own seat that is known to be empty before GitHub refuses it.

Among several seats of the same right, those known to be empty come last. A conversation stays on the seat
that served it last, for its prompt cache and its encrypted reasoning. Otherwise seats that are nearly empty
come after the others, and among equals a member stays on one seat.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from accounts.directory import Caller, RouteEntry, SeatEntry, Snapshot
from accounts.models.wildcard import fits
from accounts.quotas.levels import Levels, Standing
from bridge.copilot.names import match, nearest
from bridge.errors import BridgeError, Exhausted, RateLimited, SeatRequired, UnknownModel

_SCOPES = {"key": 3, "member": 2, "team": 1, "everyone": 0}
# What is known besides what the snapshot says: by seat.
_NOTHING_NEWER: Mapping[int, Levels] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Choice:
    """The live model that serves a request, and why in words."""

    model: str
    why: str


def find_route(snapshot: Snapshot, caller: Caller, name: str) -> RouteEntry | None:
    """The route that decides on `name` for `caller`."""
    fitting = [route for route in snapshot.routes if _concerns(route, caller) and fits(route.pattern, name)]
    return max(fitting, key=_rank) if fitting else None


def choose_model(route: RouteEntry | None, name: str, live: Mapping[str, object]) -> Choice:
    """The model of the live list that serves `name`. Raises UnknownModel with the nearest names."""
    requested = match(name, live)
    if route is None:
        if requested is None:
            raise _unknown(name, live)
        return Choice(requested, "as requested" if requested == name else f"'{name}' read as '{requested}'")
    for target in (route.target, *route.fallbacks):
        found = match(target, live)
        if found is not None:
            kind = "route" if target == route.target else "fallback of route"
            return Choice(found, f"{kind} '{route.pattern}' -> '{target}' ({route.origin})")
    if requested is not None:
        return Choice(requested, f"route '{route.pattern}' has no live target; as requested")
    raise UnknownModel(
        "The route '%(pattern)s' leads to '%(target)s', which GitHub Copilot does not offer to this seat. "
        "Ask the gateway's owner to change the route.",
        {"pattern": route.pattern, "target": route.target},
        param="model",
    )


def choose_seat(
    snapshot: Snapshot,
    caller: Caller,
    now: float,
    *,
    page: str,
    overflow: bool,
    levels: Mapping[int, Levels] = _NOTHING_NEWER,
) -> SeatEntry:
    """The seat that serves a new conversation of `caller` now; raises as `permitted_seats`."""
    seats = permitted_seats(snapshot, caller, now, page=page, overflow=overflow, levels=levels)
    return choose_among(seats, caller, now, levels=levels)


def permitted_seats(
    snapshot: Snapshot,
    caller: Caller,
    now: float,
    *,
    page: str,
    overflow: bool,
    levels: Mapping[int, Levels] = _NOTHING_NEWER,
) -> list[SeatEntry]:
    """The usable seats of the best right that `caller` has now, at least one.

    `levels` is what is known of seats beyond the snapshot. Raises SeatRequired, Exhausted or RateLimited, each saying
    what to do.
    """
    own = [seat for seat in snapshot.seats if seat.owner == caller.member]
    usable = [seat for seat in own if seat.is_usable(now)]
    if any(_standing(seat, levels, now) < Standing.EMPTY for seat in usable) or (usable and not overflow):
        return usable
    resting = [seat for seat in own if seat.state in ("cooling", "exhausted")]
    if resting and not overflow:
        raise _resting(resting, now)
    shared = [seat for seat in snapshot.seats if _serves(seat, caller) and seat not in own]
    rested = [seat for seat in shared if seat.is_usable(now)]
    if usable:  # known to be empty, which may be old news
        return [seat for seat in rested if _standing(seat, levels, now) < Standing.EMPTY] or usable
    if rested:
        return rested
    resting += [seat for seat in shared if seat.state in ("cooling", "exhausted")]
    if resting:
        raise _resting(resting, now)
    raise _no_seat(own or shared, page)


def choose_among(
    seats: Sequence[SeatEntry],
    caller: Caller,
    now: float,
    *,
    last: int | None = None,
    levels: Mapping[int, Levels] = _NOTHING_NEWER,
) -> SeatEntry:
    """The one of permitted seats that serves a conversation; `last` is the seat that served it before."""

    def rank(seat: SeatEntry) -> tuple[bool, bool, Standing, bytes]:
        standing = _standing(seat, levels, now)
        return (standing is Standing.EMPTY, seat.id != last, standing, _order(seat, caller))

    return min(seats, key=rank)


def seats_of(snapshot: Snapshot, caller: Caller, now: float) -> list[SeatEntry]:
    """Every usable seat whose models `caller` may see: the own ones first."""
    seats = [seat for seat in snapshot.seats if seat.is_usable(now)]
    own = [seat for seat in seats if seat.owner == caller.member]
    return own or [seat for seat in seats if _serves(seat, caller)]


def _concerns(route: RouteEntry, caller: Caller) -> bool:
    match route.scope:
        case "key":
            return route.key == caller.key
        case "member":
            return route.member == caller.member
        case "team":
            return route.team is not None and route.team == caller.team
        case _:
            return True


def _rank(route: RouteEntry) -> tuple[int, int, bool, bool, int, int]:
    exact = "*" not in route.pattern
    return (_SCOPES[route.scope], route.priority, route.origin == "console", exact, len(route.pattern), -route.id)


def _serves(seat: SeatEntry, caller: Caller) -> bool:
    return seat.serves == "team" and (not seat.teams or caller.team in seat.teams)


def _standing(seat: SeatEntry, levels: Mapping[int, Levels], now: float) -> Standing:
    return levels.get(seat.id, seat.levels).standing(now)


def _order(seat: SeatEntry, caller: Caller) -> bytes:
    """An own seat in the order of connecting; else rendezvous: a member keeps its seat whatever others come and go."""
    if seat.owner == caller.member:
        return seat.id.to_bytes(8, "big")
    return hashlib.sha256(f"{seat.id}:{caller.member}".encode()).digest()


def _unknown(name: str, live: Mapping[str, object]) -> UnknownModel:
    close = nearest(name, live)
    if close:
        return UnknownModel(
            "The model '%(model)s' does not exist here. Did you mean %(nearest)s? GET /v1/models lists all.",
            {"model": name[:100], "nearest": ", ".join(close)},
            param="model",
        )
    return UnknownModel(
        "The model '%(model)s' does not exist here. GET /v1/models lists those that do.",
        {"model": name[:100]},
        param="model",
    )


def _resting(seats: list[SeatEntry], now: float) -> BridgeError:
    """What to tell a caller whose seats all rest: the one that is back first decides."""
    cooling = [seat for seat in seats if seat.state == "cooling" and seat.until is not None]
    if cooling:
        first = min(cooling, key=lambda seat: seat.until or 0.0)
        wait = max(1.0, (first.until or now) - now)
        return RateLimited.of_wait(
            "GitHub told the seat %(seat)s to slow down; it is back at %(until)s. %(reason)s",
            {"seat": first.name, "until": _clock(first.until), "reason": first.reason},
            wait,
        )
    first = min(seats, key=lambda seat: seat.until or float("inf"))
    if first.until is None:
        return Exhausted(
            "The seat %(seat)s has no credits left. It works again when GitHub resets them; ask the gateway's owner.",
            {"seat": first.name},
        )
    return Exhausted(
        "The seat %(seat)s has no credits left until %(until)s.", {"seat": first.name, "until": _clock(first.until)}
    )


def _no_seat(seats: list[SeatEntry], page: str) -> SeatRequired:
    if not seats:
        return SeatRequired(
            "You have no GitHub Copilot seat here yet. Open %(page)s and connect your GitHub account.", {"page": page}
        )
    seat = seats[0]
    said = {
        "needs_login": "GitHub no longer accepts the login of the seat %(seat)s. Open %(page)s and connect it again.",
        "suspended": "GitHub suspended the seat %(seat)s: %(reason)s Open %(page)s to connect another.",
    }.get(seat.state, "The seat %(seat)s is switched off. Ask the gateway's owner, or connect your own at %(page)s.")
    return SeatRequired(said, {"seat": seat.name, "page": page, "reason": seat.reason})


def _clock(until: float | None) -> str:
    return datetime.fromtimestamp(until or 0, tz=UTC).strftime("%Y-%m-%d %H:%M UTC")

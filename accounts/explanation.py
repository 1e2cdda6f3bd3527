"""What would happen to a request: which route, model, seat, upstream formats and prices, and why. Nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from accounts.allowance import EVERYTHING, Allowance
from accounts.amounts import credits_of
from accounts.days import day_at
from accounts.directory import Caller
from accounts.models import PriceOrigin
from accounts.routing import choose_model, choose_seat, find_route
from bridge.copilot.endpoints import Endpoint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from accounts.directory import SeatEntry, Snapshot
    from accounts.models import Member
    from accounts.prices.card import CardEntry
    from bridge.copilot.catalogue import Catalogue
    from bridge.copilot.model import Model, TokenPrice

_ORIGINS = {
    PriceOrigin.CONSOLE: "set in the console",
    PriceOrigin.IMPORT: "imported",
    PriceOrigin.LIVE: "GitHub's model list",
    PriceOrigin.SHIPPED: "the gateway's own rate card",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decisions on one model name for one caller."""

    requested: str
    caller: Caller
    seat: SeatEntry
    model: Model
    why: str
    price: CardEntry | None = None
    """What a request that is made now pays by; None: not credits, or nobody knows."""

    @property
    def formats(self) -> tuple[str, ...]:
        """The upstream formats the model takes; a client's own format is used when it is among them."""
        return tuple(dict.fromkeys(endpoint.wire_format for endpoint in Endpoint if endpoint in self.model.endpoints))

    def lines(self) -> Iterator[str]:
        """Yield the explanation as a person reads it."""
        yield f"requested   {self.requested}"
        yield f"caller      {self.caller.member_name}" + (
            f", key {self.caller.key_name}" if self.caller.key_name else ""
        )
        yield f"route       {self.why}"
        yield f"model       {self.model.id}"
        yield f"seat        {self.seat.name} ({self.why_this_seat})"
        yield f"upstream    {', '.join(self.formats) or 'no generation format'}{self._rule()}"
        if self.price is None:
            yield f"price       {_multiplier(self.model)}"
            return
        for tier in self.price.tiers:
            yield f"price       {_price(tier)}"
        yield f"card        {_source(self.price)}"

    @property
    def why_this_seat(self) -> str:
        return "the member's own" if self.seat.owner == self.caller.member else "serves the team"

    def _rule(self) -> str:
        return " (a client's own format when it is among them, else it is translated)" if self.formats else ""


def without_key(member: Member) -> Caller:
    """A caller for a member without a key's limits; the team's hold."""
    team = member.team if member.team is not None and member.team.active else None
    return Caller(
        key=0,
        key_name="",
        key_hint="",
        member=member.pk,
        member_name=member.username,
        team=team.pk if team else None,
        team_name=team.name if team else "",
        own=EVERYTHING,
        shared=Allowance.of(team) if team else EVERYTHING,
        expires_at=None,
        language=member.language,
    )


async def explain(
    snapshot: Snapshot,
    caller: Caller,
    requested: str,
    catalogue_of: Callable[[int], Awaitable[Catalogue]],
    *,
    now: float,
    page: str,
    overflow: bool,
) -> Explanation:
    """Return what the gateway would decide; raises what keeps it from a decision.

    Allow-lists are not asked: a model that the caller may not use is explained, too.
    """
    seat = choose_seat(snapshot, caller, now, page=page, overflow=overflow)
    live = (await catalogue_of(seat.id)).models
    choice = choose_model(find_route(snapshot, caller, requested), requested, live)
    model = live[choice.model]
    day = day_at(datetime.fromtimestamp(now, UTC))
    price = snapshot.prices.quote(model, day, token_based=seat.token_based)
    return Explanation(requested, caller, seat, model, choice.why, price)


def _source(entry: CardEntry) -> str:
    """Where the price comes from, since when, and under which name when that is not the model's own."""
    origin = _ORIGINS[PriceOrigin(entry.origin)]
    return f"{origin}, {entry.model} from {entry.valid_from}" if entry.valid_from else f"{origin}, as it is now"


def _price(price: TokenPrice) -> str:
    named = (
        ("input", price.input),
        ("cached", price.cached_input),
        ("cache write", price.cache_write),
        ("output", price.output),
    )
    stated = ", ".join(f"{name} {credits_of(nano)}" for name, nano in named if nano is not None)
    above = f" above {price.above_input_tokens:,} input tokens" if price.above_input_tokens else ""
    return f"{stated} credits per {price.batch_size:,} tokens{above}"


def _multiplier(model: Model) -> str:
    if model.multiplier_thousandths is None:
        return "not stated by GitHub"
    return f"{(Decimal(model.multiplier_thousandths) / 1000).normalize():f} premium requests"

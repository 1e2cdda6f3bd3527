"""A dry run in words, for the pages: the same lines in the console and in the portal, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import formats
from django.utils.translation import gettext as _

from accounts.amounts import credits_of
from accounts.models import BudgetSpan, Door, PriceOrigin
from accounts.sentences import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.allowance import Allowance
    from accounts.dry_run import DryRun
    from accounts.explanation import Explanation
    from accounts.prices.card import CardEntry
    from accounts.spending import Spending
    from bridge.copilot.model import TokenPrice


@dataclass(frozen=True, slots=True)
class Told:
    """One matter and what is said of it, a line each."""

    title: str
    lines: tuple[str, ...]


def matters(found: DryRun) -> list[Told]:
    """Return what was decided and what is left, in the order of the decisions; refusals are told by `refusals`."""
    caller = found.caller
    whose = f"{caller.member_name} · {caller.key_name}" if caller.key_name else caller.member_name
    told = [Told(_("Requested"), (found.requested,)), Told(_("For"), (whose,))]
    if found.explanation is not None:
        told += _decisions(found, found.explanation)
    limits = (*_limits(_("key"), caller.own), *_limits(caller.team_name or _("team"), caller.shared))
    told.append(Told(_("Limits"), limits or (_("none"),)))
    told.append(Told(_("Budgets"), tuple(map(_spending, found.spendings)) or (_("none"),)))
    return told


def refusals(found: DryRun) -> list[str]:
    """Return what the request would be refused with, the first being what a program would get."""
    return [f"{refusal.status} {refusal.code}: {sentence(refusal)}" for refusal in found.refusals]


def _decisions(found: DryRun, explanation: Explanation) -> Iterator[Told]:
    yield Told(_("Route"), (explanation.why,))
    yield Told(_("Model"), (explanation.model.id,))
    is_own = explanation.seat.owner == found.caller.member
    why = _("the member's own") if is_own else _("serves the team")
    yield Told(_("Seat"), (f"{explanation.seat.name} ({why})",))
    formats_ = ", ".join(explanation.formats) or _("no format that answers requests")
    yield Told(_("Upstream format"), (found.upstream or formats_,))
    yield Told(_("Price"), _price(explanation))


def _price(explanation: Explanation) -> tuple[str, ...]:
    card = explanation.price
    if card is not None:
        return (*(_tier(tier) for tier in card.tiers), _source(card))
    thousandths = explanation.model.multiplier_thousandths
    if thousandths is None:
        return (_("not stated by GitHub"),)
    return (_("%(count)s premium requests") % {"count": formats.number_format(thousandths / 1000)},)


def _tier(tier: TokenPrice) -> str:
    named = (
        (_("input"), tier.input),
        (_("cached"), tier.cached_input),
        (_("cache write"), tier.cache_write),
        (_("output"), tier.output),
    )
    stated = ", ".join(f"{name} {credits_of(nano)}" for name, nano in named if nano is not None)
    tokens = {"prices": stated, "tokens": _grouped(tier.batch_size), "above": _grouped(tier.above_input_tokens)}
    if tier.above_input_tokens:
        return _("%(prices)s credits per %(tokens)s tokens, above %(above)s input tokens") % tokens
    return _("%(prices)s credits per %(tokens)s tokens") % tokens


def _source(card: CardEntry) -> str:
    origin = PriceOrigin(card.origin).label
    if card.valid_from is None:
        return _("as of today, %(origin)s") % {"origin": origin}
    return _("valid from %(day)s, %(origin)s") % {"day": card.valid_from, "origin": origin}


def _limits(whose: str, allowance: Allowance) -> Iterator[str]:
    numbers = (
        (_("requests per minute"), allowance.requests_per_minute),
        (_("tokens per minute"), allowance.tokens_per_minute),
        (_("requests at once"), allowance.concurrent_requests),
    )
    yield from (f"{whose}: {_grouped(number)} {what}" for what, number in numbers if number is not None)
    doors = ", ".join(str(Door(door).label) for door in sorted(allowance.doors) if door in Door.values)
    networks = ", ".join(map(str, allowance.networks))
    lists = ((_("doors"), doors), (_("models"), ", ".join(allowance.models)), (_("addresses"), networks))
    yield from (f"{whose}: {what} {names}" for what, names in lists if names)


def _spending(spending: Spending) -> str:
    kind = _("refuses when it is used up") if spending.budget.hard else _("only warns")
    return _("%(whose)s: %(left)s of %(limit)s credits left this %(span)s, resets on %(day)s (%(kind)s)") % {
        "whose": spending.budget.whose,
        "left": credits_of(spending.left),
        "limit": credits_of(spending.budget.limit_nano),
        "span": BudgetSpan(spending.budget.span).label,
        "day": spending.end,
        "kind": kind,
    }


def _grouped(number: int) -> str:
    return formats.number_format(number, use_l10n=True, force_grouping=True)

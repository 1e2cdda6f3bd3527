"""What would become of a request, asked without sending one: for the command, the management API and the pages.

The decisions are `explanation`'s. Beside them stands whatever the request would be refused with, each refusal found
on its own, so that a forbidden model is still explained. The model list is the one the gateway keeps for the seat;
GitHub is asked only when there is none, and that it cannot be reached is then one of the refusals.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from accounts.amounts import credits_of
from accounts.database import in_thread
from accounts.explanation import Explanation, explain
from accounts.github import open_github
from accounts.models import Door
from accounts.spending import Spending, budgets_for, spendings_of
from accounts.stores import CatalogueCopies, SeatStore
from bridge.copilot.catalogue import CatalogueKeeper
from bridge.copilot.endpoints import PREFERRED, Endpoint
from bridge.copilot.keeper import TokenKeeper
from bridge.errors import BadRequest, BridgeError, Exhausted, UnknownModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from accounts.directory import Caller, Snapshot

GENERATING = (Door.CHAT, Door.RESPONSES, Door.MESSAGES)
ASKED = (*GENERATING, Door.EMBEDDINGS)


@dataclass(frozen=True, slots=True)
class DryRun:
    """`explanation` is None when no model could be decided on; the first refusal is the one a caller would get.

    `upstream` is the format spoken upstream for the door asked about; empty without a door.
    """

    requested: str
    caller: Caller
    door: Door | None
    explanation: Explanation | None
    upstream: str
    spendings: tuple[Spending, ...]
    refusals: tuple[BridgeError, ...]

    def lines(self) -> Iterator[str]:
        """Yield what was found as a person reads it in a terminal; refusals last."""
        if self.explanation is not None:
            yield from self.explanation.lines()
        for limit in _limits(self.caller):
            yield f"limit       {limit}"
        for spending in self.spendings:
            kind = "hard" if spending.budget.hard else "soft"
            yield (
                f"budget      {spending.budget} ({kind}): {credits_of(spending.left)} credits left until {spending.end}"
            )
        for refusal in self.refusals:
            yield f"refused     {refusal}"


async def try_out(
    snapshot: Snapshot, caller: Caller, requested: str, *, door: Door | None = None, address: str | None = None
) -> DryRun:
    """Return what the gateway would decide on `requested` for `caller`; never raises a refusal.

    `address` is checked against the caller's networks when a door is named; None: the address is not in question.
    """
    refusals: list[BridgeError] = []
    explanation: Explanation | None = None
    upstream = ""
    if door is not None:
        _note(refusals, lambda: _check_door(caller, door, address))
    try:
        explanation = await _decide(snapshot, caller, requested)
    except BridgeError as refusal:
        refusals.append(refusal)
    if explanation is not None:
        model = explanation.model.id
        _note(refusals, lambda: caller.check_model(requested, model))
        upstream = _upstream(explanation, door, refusals)
    spendings = tuple(await in_thread(lambda: spendings_of(budgets_for(caller)))())
    refusals += [_spent(spending) for spending in spendings if spending.refuses]
    return DryRun(requested, caller, door, explanation, upstream, spendings, tuple(refusals))


def _limits(caller: Caller) -> Iterator[str]:
    for whose, allowance in (("the key", caller.own), (f"the team {caller.team_name}", caller.shared)):
        told = (
            ("requests per minute", allowance.requests_per_minute),
            ("tokens per minute", allowance.tokens_per_minute),
            ("requests at once", allowance.concurrent_requests),
        )
        yield from (f"{number:,} {what} for {whose}" for what, number in told if number is not None)


async def _decide(snapshot: Snapshot, caller: Caller, requested: str) -> Explanation:
    async with open_github() as github:
        keeper = TokenKeeper(SeatStore(), github.http, github.profile, github.origins, owner="explain")
        catalogues = CatalogueKeeper(CatalogueCopies(), keeper, github.http, github.profile)
        try:
            return await explain(
                snapshot,
                caller,
                requested,
                catalogues.get,
                now=time.time(),
                page=f"{settings.PUBLIC_URL}/auth/device",
                overflow=settings.BRIDGE_OVERFLOW,
            )
        finally:
            await catalogues.aclose()
            await keeper.aclose()


def _note(refusals: list[BridgeError], check: Callable[[], None]) -> None:
    try:
        check()
    except BridgeError as refusal:
        refusals.append(refusal)


def _check_door(caller: Caller, door: Door, address: str | None) -> None:
    """From an address that is not in question, networks forbid nothing."""
    if address is not None:
        caller.check_door(door, address)
        return
    for allowance in caller.allowances:
        replace(allowance, networks=()).check_door(door, None)


def _upstream(explanation: Explanation, door: Door | None, refusals: list[BridgeError]) -> str:
    """The caller's own format when the model has it, else the one that loses least."""
    model = explanation.model
    if door == Door.EMBEDDINGS and Endpoint.EMBEDDINGS not in model.endpoints:
        refusals.append(
            BadRequest(
                "'%(model)s' makes no embeddings. GET /v1/models lists the models that do.",
                {"model": model.id},
                param="model",
            )
        )
    elif door in GENERATING:
        found = next((endpoint for endpoint in PREFERRED[door.value] if endpoint in model.endpoints), None)
        if found is not None:
            return found.wire_format
        refusals.append(
            UnknownModel(
                "GitHub Copilot offers '%(model)s' on no interface that answers requests for text. GET /v1/models "
                "lists the models that do.",
                {"model": model.id},
                param="model",
            )
        )
    return Endpoint.EMBEDDINGS.wire_format if door == Door.EMBEDDINGS and not refusals else ""


def _spent(spending: Spending) -> Exhausted:
    return Exhausted(
        "The budget for %(whose)s is used up until %(reset)s.",
        {"whose": spending.budget.whose, "reset": f"{spending.end} 00:00 {timezone.get_default_timezone_name()}"},
    )

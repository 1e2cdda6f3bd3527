"""What a request may cost, before it is asked: what its budgets hold back until it is settled.

    reservation = counted input × card + min(most output asked for, usual output) × card

The input is what the estimator counts, set right by what was seen of the model lately; none of it is taken to be
cached. The usual output is the 95th percentile of this key's answers by this model (`usual_outputs`). A limit that the
caller set, or the model's own, bounds it. Embeddings make no output.

Only a request that a hard budget concerns is counted: it costs milliseconds. Who pays in no credits reserves nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.prices.computing import HIGHEST_NANO, compute
from bridge.asked import typed
from bridge.dialect import Dialect
from bridge.tally import Tally
from proxy.counting import estimate_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accounts.directory import Caller
    from bridge.asked import Asked
    from bridge.copilot.model import TokenPrice
    from proxy.plan import Plan
    from proxy.runtime import Runtime

BYTES_PER_TOKEN = 4
# The first that is there holds; the door has seen to it that it is a positive number.
_OUTPUT_LIMITS = {
    Dialect.CHAT: ("max_completion_tokens", "max_tokens"),
    Dialect.RESPONSES: ("max_output_tokens",),
    Dialect.MESSAGES: ("max_tokens",),
}


async def reservation(runtime: Runtime, caller: Caller, asked: Asked, plan: Plan, opened_at: float) -> int:
    """Nano-AIU that the request may cost; 0 when it is not paid in credits or nobody knows its price."""
    prices = runtime.prices(plan.seat, plan.model, opened_at)
    if not prices:
        return 0
    usual = runtime.usual_outputs.usual(caller.key, plan.model.id)
    return priced(
        await estimate_input(runtime, asked), expected_output(asked, plan.model.max_output_tokens, usual), prices
    )


def embedding_reservation(runtime: Runtime, plan: Plan, size: int, opened_at: float) -> int:
    """The same for embeddings of a body of `size` bytes, which is all text."""
    return priced(-(-size // BYTES_PER_TOKEN), 0, runtime.prices(plan.seat, plan.model, opened_at))


def priced(input_tokens: int, output_tokens: int, prices: Sequence[TokenPrice]) -> int:
    """What so many tokens cost; 0 without a price, the most a budget can hold for a nonsensical one."""
    if not prices:
        return 0
    nano = compute(Tally(input=input_tokens, output=output_tokens), prices)
    if nano is not None:
        return nano
    return HIGHEST_NANO if compute(Tally(), prices) is not None else 0


def expected_output(asked: Asked, most: int | None, usual: int) -> int:
    """Tokens of output that the request may make; `most` is the model's own limit, None when it states none."""
    told = (typed(asked.fields, name, int) for name in _OUTPUT_LIMITS[asked.dialect])
    wished = next((limit for limit in told if limit is not None), None)
    return min(limit for limit in (usual, wished, most) if limit is not None)

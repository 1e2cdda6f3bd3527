"""What a generation costs an account, by the era it is billed in.

* credits: the sum of count x price over the kinds of tokens, in nano-AIU; who began the request does not matter.
* premium: `X-Initiator: user` costs the model's multiplier, `agent` nothing; no header means user.
* free: a request of the user takes one chat message.

Only answers with a 2xx are charged; refusals never reach this file. Each is charged once, and the world keeps a
`Charge` for it, found by the number of the request or by the `x-github-request-id` that its answer carried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tests.simulator import errors
from tests.simulator.accounts import Account, Era, State
from tests.simulator.catalogue import Model
from tests.simulator.wire import Request


class Priced(Protocol):
    """What generation hands over: the price of one answer."""

    @property
    def nano_aiu(self) -> int:
        """The sum over `token_details`."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What one request was charged: nano-AIU or premium requests by the account's era.

    `whole` is False when the answer broke off and what is charged is a part of it.
    """

    number: int
    upstream_id: str
    login: str
    model: str
    nano: int
    premium_thousandths: int
    whole: bool


def charge(account: Account, request: Request, model: Model, bill: Priced | None) -> int:
    """Book one answer and return its price in nano-AIU (0 unless the account pays by tokens)."""
    account.trail.append(account.remaining)
    account.answers += 1
    if account.billing is Era.CREDITS:
        nano = bill.nano_aiu if bill else 0
        account.nano_aiu += nano
        return nano
    if account.billing is Era.PREMIUM:
        account.premium_requests += model.multiplier if _is_by_user(request) else 0
    elif _is_by_user(request):
        account.chat_messages += 1
    return 0


def premium_thousandths(account: Account, request: Request, model: Model) -> int:
    """What an answer costs an account that pays by premium requests, in thousandths of one."""
    is_paid = account.billing is Era.PREMIUM and _is_by_user(request)
    return round(model.multiplier * 1000) if is_paid else 0


def check(account: Account, model: Model) -> None:
    """Raise the 402 or 429 that keeps an account from asking this model."""
    if account.state is State.RATE_LIMITED:
        raise errors.rate_limited(account.rate_code, retry_after=account.retry_after)
    if not account.is_out_of_quota:
        return
    if account.billing is Era.PREMIUM and model.is_base:
        return
    raise errors.quota_exceeded("free_quota_exceeded" if account.is_free else "quota_exceeded")


def _is_by_user(request: Request) -> bool:
    return request.headers.get("x-initiator", "user").lower() != "agent"

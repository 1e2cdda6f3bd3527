"""What an answer of GitHub's management API says about a seat: fine, gone for good, or only for now.

The exchange and the account call refuse in the same words, so they share this judgement:

    401, 404, 403 for the kind of token   -> TokenRefused, the seat needs a new login
    403 with a suspension-type reason     -> TokenRefused, the account is suspended
    403 with any other reason             -> TokenRefused, the account has no access to Copilot
    403 "API rate limit exceeded", 429    -> RateLimited
    403 "server_error", 5xx, anything odd -> Unavailable
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.copilot.fields import record, text
from bridge.errors import BridgeError, RateLimited, SeatRequired, Unavailable

if TYPE_CHECKING:
    from bridge.copilot.rest import Answer


class SeatVerdict(StrEnum):
    """The state of a seat that follows from a permanent refusal."""

    NEEDS_LOGIN = "needs_login"
    SUSPENDED = "suspended"
    NO_ACCESS = "no_access"


# Reasons that speak of the account's conduct or of how it was used, not of what was bought.
SUSPENSIONS = frozenset(
    {
        "spammy_user",
        "access_revoked",
        "trade_restricted",
        "trade_restricted_country",
        "go_http_client",
        "programmatic_token_generation",
    }
)
RATE_LIMIT_WORDS = ("api rate limit exceeded", "secondary rate limit")
# Used when GitHub says "slow down" without saying for how long.
DEFAULT_WAIT_SECONDS = 60.0


class TokenRefused(SeatRequired):
    """GitHub refuses this seat for good: `state` is what the seat becomes, `upstream_code` GitHub's id for why.

    `detail` is GitHub's sentence for the owner of the account; `url` is the page it names, if any.
    """

    def __init__(
        self,
        text: str,
        *,
        state: SeatVerdict,
        upstream_code: str = "",
        detail: str = "",
        url: str = "",
        upstream_status: int | None = None,
    ) -> None:
        super().__init__(text, {"detail": detail}, upstream_status=upstream_status, upstream_code=upstream_code)
        self.state = state
        self.detail = detail
        self.url = url


def judge(answer: Answer) -> BridgeError:
    """Return the error that an answer other than 200 of `api.github.com` stands for."""
    match answer.status:
        case 401:
            return needs_login(
                "GitHub no longer accepts this seat's sign-in. Connect the account again.",
                answer,
                "unauthorized",
            )
        case 404:
            return needs_login(
                "GitHub offers no Copilot token for this kind of sign-in. Connect the account again with its code.",
                answer,
                "not_found",
            )
        case 403:
            return _judge_forbidden(answer)
        case 429:
            return _rate_limited(answer)
        case status if status >= 500:
            return Unavailable("GitHub answered %(status)s.", {"status": status}, upstream_status=status)
        case status:
            return Unavailable(
                "GitHub answered %(status)s, which this gateway does not understand.",
                {"status": status},
                upstream_status=status,
                final=True,
            )


def needs_login(sentence: str, answer: Answer, code: str) -> TokenRefused:
    return TokenRefused(
        sentence,
        state=SeatVerdict.NEEDS_LOGIN,
        upstream_code=code,
        detail=text(record(answer.json()), "message"),
        upstream_status=answer.status,
    )


def _judge_forbidden(answer: Answer) -> BridgeError:
    body = record(answer.json())
    message = text(body, "message")
    if any(words in message.lower() for words in RATE_LIMIT_WORDS):
        return _rate_limited(answer)
    details = record(body.get("error_details"))
    reason = text(details, "notification_id")
    if reason == "server_error":
        return Unavailable("GitHub could not decide about this seat.", upstream_status=403)
    if not reason and "personal access token" in message.lower():
        return needs_login(
            "GitHub gives no Copilot token for a personal access token. Connect the account with its code.",
            answer,
            "personal_access_token",
        )
    suspended = reason in SUSPENSIONS
    return TokenRefused(
        "GitHub has suspended Copilot for this account: %(detail)s"
        if suspended
        else "This GitHub account has no access to Copilot: %(detail)s",
        state=SeatVerdict.SUSPENDED if suspended else SeatVerdict.NO_ACCESS,
        upstream_code=reason or "forbidden",
        detail=text(details, "message") or message or "no reason given",
        url=text(details, "url"),
        upstream_status=403,
    )


def _rate_limited(answer: Answer) -> RateLimited:
    wait = answer.retry_after or DEFAULT_WAIT_SECONDS
    return RateLimited.of_wait(
        "GitHub asks to slow down for %(seconds)d seconds.",
        {"seconds": round(wait)},
        wait,
        upstream_status=answer.status,
    )

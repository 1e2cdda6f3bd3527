"""The Copilot token: exchanged for a GitHub token, good for about half an hour."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.copilot.fields import flag, record, text, whole
from bridge.copilot.origins import api_base, endpoint_from_token
from bridge.copilot.rest import send
from bridge.copilot.verdicts import SeatVerdict, TokenRefused, judge
from bridge.errors import BridgeError, RateLimited, TimedOut, Unavailable, Unreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import httpx

    from bridge.copilot.identity import Profile
    from bridge.copilot.origins import Origins
    from bridge.copilot.rest import Answer

__all__ = ["CopilotToken", "SeatVerdict", "TokenRefused", "exchange"]

log = logging.getLogger(__name__)

TRIES = 3
FIRST_PAUSE_SECONDS = 1.0
# A "retry after" of more than this is the caller's business, not a pause within one exchange.
LONGEST_PAUSE_SECONDS = 5.0
# GitHub's own editor counts on the token for a minute past `refresh_in`, and renews five minutes before that.
GRACE_SECONDS = 60.0
RENEWAL_LEAD_SECONDS = 240.0
USUAL_REFRESH_SECONDS = 1500


@dataclass(frozen=True, slots=True)
class CopilotToken:
    """A bearer for the Copilot API. Times are seconds since the epoch *by the local clock*."""

    token: str = field(repr=False)
    expires_at: float
    renew_at: float
    api_base: str
    sku: str = ""
    chat_enabled: bool = True


async def exchange(
    http: httpx.AsyncClient,
    origins: Origins,
    profile: Profile,
    github_token: str,
    *,
    host: str,
    operator: str | None = None,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> CopilotToken:
    """Return a fresh Copilot token for a GitHub token.

    Failures that may pass are tried three times in all, with growing pauses. Raises TokenRefused when GitHub
    refuses the seat for good, RateLimited, Unavailable, Unreachable or TimedOut when it is only for now.
    """

    async def once() -> CopilotToken:
        answer = await _ask(http, origins, profile, github_token)
        return _read_token(answer, host, operator or origins.operator, now())

    return await patiently(once, host=host, sleep=sleep)


async def patiently(
    ask: Callable[[], Awaitable[CopilotToken]],
    *,
    host: str,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> CopilotToken:
    """Return what `ask` brings; a failure that may pass is tried three times in all, with growing pauses."""
    for attempt in range(1, TRIES + 1):
        try:
            return await ask()
        except (RateLimited, Unavailable, Unreachable, TimedOut) as error:
            pause = _pause(error, attempt)
            if pause is None:
                raise
            log.info("No Copilot token from %s (%s); trying again in %.1f s", host, error.code, pause)
        await sleep(pause)
    raise AssertionError("the last attempt returns or raises")


async def _ask(http: httpx.AsyncClient, origins: Origins, profile: Profile, github_token: str) -> Answer:
    headers = profile.github_headers() | {"Authorization": f"token {github_token}"}
    answer = await send(http, "GET", f"{origins.api}/copilot_internal/v2/token", headers=headers)
    if answer.status != 200:
        raise judge(answer)
    return answer


def _pause(error: BridgeError, attempt: int) -> float | None:
    """Return how long to wait before the next attempt, or None when there is to be none."""
    if attempt >= TRIES or error.final:
        return None
    if error.retry_after is not None and error.retry_after > LONGEST_PAUSE_SECONDS:
        return None
    return max(error.retry_after or 0.0, FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1))


def _read_token(answer: Answer, host: str, operator: str | None, now: float) -> CopilotToken:
    body = record(answer.json())
    token = text(body, "token")
    # A token goes into a header, so it must be one visible ASCII word.
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Unavailable("GitHub answered the token exchange without a usable token.", upstream_status=200, final=True)
    endpoint = text(record(body.get("endpoints")), "api") or endpoint_from_token(token)
    base = api_base(host, endpoint, operator=operator)
    if base.refused:
        log.warning("The token for %s names a foreign API host; the default is used instead", host)
    lifetime, renewal = _lifetime(body, answer)
    return CopilotToken(
        token=token,
        expires_at=now + lifetime,
        renew_at=now + renewal,
        api_base=base.url,
        sku=text(body, "sku"),
        chat_enabled=flag(body, "chat_enabled", default=True),
    )


def _lifetime(body: Mapping[str, object], answer: Answer) -> tuple[float, float]:
    """Return the seconds until the token expires and until it is to be renewed.

    Neither compares GitHub's clock with ours: `refresh_in` is a span, and `expires_at` is held against the date of
    the same answer. Where they disagree, the shorter one counts.
    """
    refresh = whole(body, "refresh_in")
    lifetime = float(refresh if refresh and refresh > 0 else USUAL_REFRESH_SECONDS) + GRACE_SECONDS
    expires_at, sent_at = whole(body, "expires_at"), answer.sent_at
    if expires_at is not None and sent_at is not None and expires_at > sent_at:
        lifetime = min(lifetime, expires_at - sent_at)
    return lifetime, max(lifetime * 0.8, lifetime - GRACE_SECONDS - RENEWAL_LEAD_SECONDS)

"""Tokens of a GitHub App's installation: an organisation pays for Copilot, nobody signs in. EXPERIMENTAL.

What GitHub documents is the way to the token; that Copilot takes it as a bearer, like a direct one, is inferred.

    client id + private key  →  a signed statement, good for ten minutes
    statement                →  POST /app/installations/ID/access_tokens  →  a token, good for an hour

The statement is dated a minute back, because GitHub takes none that its own clock has not reached. Should this
machine's clock be further off, GitHub's answer carries the right time: the statement is made once more by that.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bridge.copilot.fields import record, text, whole
from bridge.copilot.origins import api_base
from bridge.copilot.quota import read_moment
from bridge.copilot.rest import send
from bridge.copilot.tokens import CopilotToken, patiently
from bridge.copilot.verdicts import SeatVerdict, TokenRefused, judge, needs_login
from bridge.errors import BadRequest, BridgeError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from bridge.copilot.identity import Profile
    from bridge.copilot.origins import Origins
    from bridge.copilot.rest import Answer
    from bridge.copilot.stores import AppCredential

log = logging.getLogger(__name__)

PERMISSION = "copilot_requests"
LEVEL = "write"
# GitHub takes statements of ten minutes at the most, and counts by its own clock.
STATEMENT_SECONDS = 540.0
BACKDATED_SECONDS = 60.0
# Clocks that differ by less than this are not the reason why a statement was refused.
CLOCK_SECONDS = 30.0
TOKEN_SECONDS = 3600.0
RENEWAL_LEAD_SECONDS = 600.0
SMALLEST_KEY_BITS = 2048


@dataclass(frozen=True, slots=True)
class Installation:
    """Where an app is installed: the organisation that pays, and the app's own name."""

    login: str
    id: int
    app: str = ""


def check_private_key(pem: str) -> None:
    """Raises BadRequest with a sentence when this is no RSA private key as GitHub hands it out."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as fault:
        raise BadRequest("This is no private key in PEM form without a password.", param="private_key") from fault
    if not isinstance(key, RSAPrivateKey) or key.key_size < SMALLEST_KEY_BITS:
        raise BadRequest("The private key of a GitHub App is an RSA key of 2048 bits or more.", param="private_key")


async def fetch_installation(
    http: httpx.AsyncClient,
    origins: Origins,
    profile: Profile,
    app: AppCredential,
    *,
    now: Callable[[], float] = time.time,
) -> Installation:
    """Return who has installed the app; raises TokenRefused, RateLimited, Unavailable, Unreachable or TimedOut."""
    answer = await _ask(http, "GET", f"{origins.api}/app/installations/{app.installation}", profile, app, now)
    if answer.status != 200:
        raise _refusal(answer, now())
    body = record(answer.json())
    account = record(body.get("account"))
    login, number = text(account, "login"), whole(account, "id")
    if not login or number is None:
        raise Unavailable("GitHub did not say where the app is installed.", upstream_status=200)
    return Installation(login, number, text(body, "app_slug"))


async def fetch_app_token(
    http: httpx.AsyncClient,
    origins: Origins,
    profile: Profile,
    app: AppCredential,
    *,
    host: str,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> CopilotToken:
    """Return a fresh bearer for the Copilot API that the organisation pays for; raises like `fetch_installation`.

    Failures that may pass are tried three times in all, with growing pauses.
    """
    url = f"{origins.api}/app/installations/{app.installation}/access_tokens"

    async def once() -> CopilotToken:
        answer = await _ask(http, "POST", url, profile, app, now, body={"permissions": {PERMISSION: LEVEL}})
        if answer.status not in {200, 201}:
            raise _refusal(answer, now())
        return _read_token(answer, host, origins, now())

    return await patiently(once, host=host, sleep=sleep)


async def _ask(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    profile: Profile,
    app: AppCredential,
    now: Callable[[], float],
    *,
    body: object = None,
) -> Answer:
    answer = await send(http, method, url, headers=_headers(profile, app, now()), body=body)
    skew = _skew(answer, now())
    if answer.status != 401 or abs(skew) < CLOCK_SECONDS:
        return answer
    log.warning("This machine's clock differs from GitHub's by %.0f seconds; signing by GitHub's", -skew)
    return await send(http, method, url, headers=_headers(profile, app, now() + skew), body=body)


def _headers(profile: Profile, app: AppCredential, at: float) -> dict[str, str]:
    claims = {"iat": int(at - BACKDATED_SECONDS), "exp": int(at + STATEMENT_SECONDS), "iss": app.client_id}
    try:
        statement = jwt.encode(claims, app.private_key, algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError) as fault:
        raise TokenRefused(
            "The private key of this app cannot be used. Add the app again with its key.",
            state=SeatVerdict.NEEDS_LOGIN,
            upstream_code="private_key",
        ) from fault
    return profile.rest_headers() | {"Authorization": f"Bearer {statement}"}


def _skew(answer: Answer, now: float) -> float:
    """Return by how many seconds the clock of the answer's sender is ahead of ours."""
    return 0.0 if answer.sent_at is None else answer.sent_at - now


def _refusal(answer: Answer, now: float) -> BridgeError:
    message = text(record(answer.json()), "message")
    match answer.status:
        case 401 if abs(_skew(answer, now)) >= CLOCK_SECONDS:
            return needs_login(
                "GitHub does not accept the app's signature: %(detail)s This machine's clock is wrong.",
                answer,
                "clock",
            )
        case 401:
            return needs_login(
                "GitHub does not accept the app's signature: client id and private key do not belong together, or the "
                "key was deleted. Add the app again with a new key.",
                answer,
                "unauthorized",
            )
        case 403 if "suspended" in message.lower():
            return TokenRefused(
                "The app's installation is suspended at GitHub: %(detail)s",
                state=SeatVerdict.SUSPENDED,
                upstream_code="installation_suspended",
                detail=message,
                upstream_status=403,
            )
        case 403:
            verdict = judge(answer)
            return _not_permitted(answer) if isinstance(verdict, TokenRefused) else verdict
        case 404:
            return needs_login(
                "The app is not installed there any more. Install it for the organisation and add it again.",
                answer,
                "not_installed",
            )
        case 422:
            return _not_permitted(answer)
    return judge(answer)


def _not_permitted(answer: Answer) -> TokenRefused:
    return needs_login(
        "The app has no permission “Copilot Requests: write” there. Give it to the app, let an owner of the "
        "organisation accept it, then check this seat.",
        answer,
        "permission_missing",
    )


def _read_token(answer: Answer, host: str, origins: Origins, now: float) -> CopilotToken:
    body = record(answer.json())
    granted = body.get("permissions")
    if isinstance(granted, dict) and text(granted, PERMISSION) != LEVEL:
        raise _not_permitted(answer)
    token = text(body, "token")
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Unavailable("GitHub answered without a usable installation token.", upstream_status=answer.status)
    ends_at, sent_at = read_moment(body.get("expires_at")), answer.sent_at
    lifetime = TOKEN_SECONDS
    if ends_at is not None:
        # A span by GitHub's clock, so that a wrong clock here does not matter.
        lifetime = min(lifetime, max(ends_at - (now if sent_at is None else sent_at), 0.0))
    return CopilotToken(
        token=token,
        expires_at=now + lifetime,
        renew_at=now + max(lifetime - RENEWAL_LEAD_SECONDS, lifetime * 0.5),
        api_base=api_base(host, None, operator=origins.operator).url,
    )

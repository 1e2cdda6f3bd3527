"""Signing in to GitHub with a device code (RFC 8628): ask for a code, then ask whether it was approved.

GitHub puts OAuth errors into answers of status 200 as well as 400, as JSON or form-encoded, so the body is read
before the status.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from bridge.copilot.fields import number, record, text
from bridge.copilot.rest import send
from bridge.copilot.verdicts import judge
from bridge.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from bridge.copilot.identity import Profile
    from bridge.copilot.origins import Origins
    from bridge.copilot.rest import Answer

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
USUAL_INTERVAL_SECONDS = 5
USUAL_LIFETIME_SECONDS = 900


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """A sign-in that waits for approval: the member types `user_code` at `verification_uri`. Spans in seconds."""

    device_code: str = field(repr=False)
    user_code: str
    verification_uri: str
    interval: int
    expires_in: int


@dataclass(frozen=True, slots=True)
class Granted:
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pending:
    """Not approved yet; ask again after the interval."""


@dataclass(frozen=True, slots=True)
class SlowDown:
    """Asked too often: from now on wait `interval` seconds, or five more than before when it is None."""

    interval: int | None


@dataclass(frozen=True, slots=True)
class Expired:
    """The code ran out; start again."""


@dataclass(frozen=True, slots=True)
class Denied:
    """The person said no."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The sign-in cannot succeed, for a reason GitHub gives in words."""

    reason: str


LoginAnswer = Granted | Pending | SlowDown | Expired | Denied | Failed


async def start_login(http: httpx.AsyncClient, origins: Origins, profile: Profile) -> DeviceCode:
    """Return a new device code; raises RateLimited, Unavailable, Unreachable or TimedOut."""
    answer = await send(
        http,
        "POST",
        f"{origins.github}/login/device/code",
        headers=profile.login_headers(),
        body={"client_id": profile.client_id, "scope": profile.scope},
    )
    body = _read_body(answer)
    device_code, user_code = text(body, "device_code"), text(body, "user_code")
    if device_code and user_code:
        return DeviceCode(
            device_code=device_code,
            user_code=user_code,
            verification_uri=_page(text(body, "verification_uri"), origins),
            interval=_seconds(body, "interval") or USUAL_INTERVAL_SECONDS,
            expires_in=_seconds(body, "expires_in") or USUAL_LIFETIME_SECONDS,
        )
    if answer.status == 429:
        raise judge(answer)
    raise Unavailable(
        "GitHub did not start a sign-in: %(reason)s",
        {"reason": _reason(body) or f"status {answer.status}"},
        upstream_status=answer.status,
        upstream_code=text(body, "error"),
    )


async def poll_login(http: httpx.AsyncClient, origins: Origins, profile: Profile, device_code: str) -> LoginAnswer:
    """Ask once whether the code was approved; raises Unavailable, Unreachable or TimedOut."""
    answer = await send(
        http,
        "POST",
        f"{origins.github}/login/oauth/access_token",
        headers=profile.login_headers(),
        body={"client_id": profile.client_id, "device_code": device_code, "grant_type": DEVICE_GRANT},
    )
    body = _read_body(answer)
    token = text(body, "access_token")
    if token:
        return Granted(token)
    error = text(body, "error")
    if error:
        return _outcome(error, body)
    if answer.status == 429:
        wait = answer.retry_after
        return SlowDown(None if wait is None else round(wait))
    raise Unavailable(
        "GitHub answered the sign-in with status %(status)s and nothing to read.",
        {"status": answer.status},
        upstream_status=answer.status,
    )


def _outcome(error: str, body: Mapping[str, object]) -> LoginAnswer:
    match error:
        case "authorization_pending":
            return Pending()
        case "slow_down":
            return SlowDown(_seconds(body, "interval"))
        case "expired_token" | "token_expired":
            return Expired()
        case "access_denied":
            return Denied()
        case _:
            return Failed(_reason(body))


def _read_body(answer: Answer) -> Mapping[str, object]:
    found = answer.json()
    if isinstance(found, dict):
        return record(found)
    return dict(parse_qsl(answer.body.decode("utf-8", "replace"), max_num_fields=50)) if answer.body else {}


def _reason(body: Mapping[str, object]) -> str:
    return text(body, "error_description") or text(body, "error") or text(body, "message")


def _seconds(body: Mapping[str, object], name: str) -> int | None:
    found = number(body, name)
    return round(found) if found is not None and found >= 1 else None


def _page(uri: str, origins: Origins) -> str:
    # The address is shown as a link, so nothing but a web page may stand there.
    return uri if uri.startswith(("https://", "http://")) else f"{origins.github}/login/device"

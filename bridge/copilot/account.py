"""Who a GitHub token belongs to, and what Copilot says about that account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.copilot.fields import flag, record, text, whole
from bridge.copilot.quota import Quota, read_limited_quotas, read_moment, read_quota_snapshots
from bridge.copilot.rest import send
from bridge.copilot.verdicts import judge
from bridge.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from bridge.copilot.identity import Profile
    from bridge.copilot.origins import Origins

FREE_SKUS = frozenset({"free_limited_copilot", "no_auth_limited_copilot"})


@dataclass(frozen=True, slots=True)
class GitHubUser:
    login: str
    id: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class AccountState:
    """What Copilot says about an account; what it did not say is empty or None.

    `api` is unchecked and may disagree with the token's: hand it to `origins.api_base`, never a bearer to it.
    """

    plan: str
    sku: str
    login: str
    chat_enabled: bool
    quotas: tuple[Quota, ...]
    reset_at: float | None
    token_based: bool
    api: str = ""

    @property
    def free(self) -> bool:
        return self.sku in FREE_SKUS


async def fetch_user(http: httpx.AsyncClient, origins: Origins, profile: Profile, token: str) -> GitHubUser:
    """Return whose token it is; raises TokenRefused, RateLimited, Unavailable, Unreachable or TimedOut."""
    headers = profile.rest_headers() | {"Authorization": f"token {token}"}
    body = await _get(http, f"{origins.api}/user", headers)
    login, number = text(body, "login"), whole(body, "id")
    if not login or number is None:
        raise Unavailable("GitHub did not say whose sign-in this is.", upstream_status=200)
    return GitHubUser(login, number, text(body, "name"))


async def fetch_account(http: httpx.AsyncClient, origins: Origins, profile: Profile, token: str) -> AccountState:
    """Return plan and allowances of a token's account; raises like `fetch_user`.

    Only tokens of the editor's own app may ask; a direct `gho_` token gets TokenRefused.
    """
    headers = profile.github_headers() | {"Authorization": f"token {token}"}
    return read_account(await _get(http, f"{origins.api}/copilot_internal/user", headers))


def read_account(body: Mapping[str, object]) -> AccountState:
    """Return the account in any of its shapes: paid, billed by token, free with and without snapshots."""
    moments = (
        read_moment(body.get(name)) for name in ("quota_reset_date_utc", "quota_reset_date", "limited_user_reset_date")
    )
    reset_at = next((moment for moment in moments if moment is not None), None)
    quotas = read_quota_snapshots(body.get("quota_snapshots"), reset_at=reset_at)
    if not quotas:
        quotas = read_limited_quotas(body.get("limited_user_quotas"), body.get("monthly_quotas"), reset_at=reset_at)
    return AccountState(
        plan=text(body, "copilot_plan"),
        sku=text(body, "access_type_sku"),
        login=text(body, "login"),
        chat_enabled=flag(body, "chat_enabled", default=True),
        quotas=quotas,
        reset_at=reset_at,
        token_based=flag(body, "token_based_billing") or any(quota.token_based for quota in quotas),
        api=text(record(body.get("endpoints")), "api"),
    )


async def _get(http: httpx.AsyncClient, url: str, headers: Mapping[str, str]) -> Mapping[str, object]:
    answer = await send(http, "GET", url, headers=headers)
    if answer.status == 404:
        # The page moved or was never there for this host; that says nothing about the seat.
        raise Unavailable("GitHub has no account page where it used to be.", upstream_status=404)
    if answer.status != 200:
        raise judge(answer)
    body = answer.json()
    if not isinstance(body, dict):
        raise Unavailable("GitHub answered with something other than JSON.", upstream_status=200)
    return record(body)

"""The GitHub accounts of the simulated world: what each may do, what it has used, and the presets tests refer to.

An account is the one mutable thing here: it is used up, suspended and restored while a test runs. Presets are named
after the role they play, not after people.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any

VSCODE_CLIENT = "Iv1.b507a08c87ecfe98"
EDITOR_CLIENT = "01ab8ac9400c4e429b23"
OPENCODE_CLIENT = "Ov23li8tweQw6odWQebz"
NANO = 1_000_000_000  # nano-AIU per AI credit; a credit is one US cent


class State(StrEnum):
    """What the service thinks of the account."""

    ACTIVE = "active"
    NO_SEAT = "no_seat"  # no Copilot at all: the exchange answers 403
    SUSPENDED = "suspended"  # the exchange answers 403 and running tokens are refused
    ABUSE = "abuse"  # the exchange answers 403, running tokens work until they expire
    EXHAUSTED = "exhausted"  # 402 whatever the numbers say
    RATE_LIMITED = "rate_limited"  # 429 on every generation


class Era(StrEnum):
    """How the account pays."""

    CREDITS = "credits"  # nano-AIU by tokens
    PREMIUM = "premium"  # requests of the user times a multiplier
    FREE_OLD = "free_old"  # chat messages; the shape before June 2026
    FREE_NEW = "free_new"


@dataclass(slots=True)
class GithubToken:
    """One token GitHub has given out for an account."""

    value: str
    kind: str  # "ghu" | "gho" | "pat" (fine-grained) | "classic"
    client_id: str
    revoked: bool = False


@dataclass(slots=True)
class Account:
    """One GitHub login with its Copilot seat. Counters are in the unit of the era."""

    login: str
    id: int
    plan: str = "individual_pro"  # free | individual | individual_pro | business | enterprise | max
    sku: str = "copilot_pro_plus_monthly_quota"
    tier: str = "individual"  # individual | business | enterprise | ghe:TENANT
    kind: str = "ghu"
    billing: Era = Era.CREDITS
    state: State = State.ACTIVE
    notification: str = ""  # which 403 the exchange gives; by default derived from the state
    entitlement: float = 7000.0  # credits, premium requests or chat messages a month
    used_before: float = 0.0  # used before this world began
    overage_permitted: bool = False
    completions: int = 4000
    session_remaining: float = 94.2  # percent left of the five-hour limit
    weekly_remaining: float = 78.5  # percent left of the weekly limit
    quota_name: str = ""  # header and snapshot name; by default from the era
    user_shape: str = ""  # "" | "bare" (no quota_snapshots at all)
    user_tier: str = ""  # tier that /copilot_internal/user names when it disagrees with the token
    models: tuple[str, ...] | None = None  # only these ids, when given
    policies: dict[str, str] = field(default_factory=dict)  # model id -> state, over the catalogue's
    policy_by_org: bool = False  # only an administrator may accept a policy
    organizations: tuple[str, ...] = ()
    retry_after: float | None = 30.0  # for the state rate_limited
    rate_code: str = "user_global_rate_limited:pro"
    scenario: dict[str, Any] = field(default_factory=dict)  # what every answer to this account is like
    github_tokens: list[GithubToken] = field(default_factory=list)

    exchanges: int = 0
    answers: int = 0  # generations answered with 2xx
    nano_aiu: int = 0
    premium_requests: float = 0.0
    chat_messages: int = 0
    trail: deque[float] = field(default_factory=lambda: deque(maxlen=32))  # remaining, as it was

    @property
    def github_token(self) -> str:
        """The first token of the account that is not revoked."""
        return next(token.value for token in self.github_tokens if not token.revoked)

    @property
    def is_free(self) -> bool:
        """True when the plan costs nothing."""
        return self.billing in (Era.FREE_OLD, Era.FREE_NEW)

    @property
    def used(self) -> float:
        """What has been used this month, in the unit of the era."""
        if self.billing is Era.CREDITS:
            return self.used_before + self.nano_aiu / NANO
        if self.billing is Era.PREMIUM:
            return self.used_before + self.premium_requests
        return self.used_before + self.chat_messages

    @property
    def remaining(self) -> float:
        """What is left; negative after an overdraft."""
        left = self.entitlement - self.used
        return min(left, 0.0) if self.state is State.EXHAUSTED else left

    @property
    def is_out_of_quota(self) -> bool:
        """True when the next paid request is refused with 402."""
        if self.state is State.EXHAUSTED:
            return True
        return self.entitlement >= 0 and self.remaining <= 0 and not self.overage_permitted

    def issue(self, client_id: str, seed: str) -> GithubToken:
        """Give out one more token, of the kind this client gets."""
        kind = kind_for_client(client_id)
        token = GithubToken(_token_value(kind, f"{seed}:{self.login}:{len(self.github_tokens)}"), kind, client_id)
        self.github_tokens.append(token)
        return token


def kind_for_client(client_id: str) -> str:
    """Return the kind of token a client gets: a GitHub App (Iv…) `ghu`, an OAuth App `gho`."""
    return "ghu" if client_id.startswith("Iv") else "gho"


def is_known_client(client_id: str) -> bool:
    """True for ids that look like those GitHub gives out."""
    is_hex = len(client_id) == 20 and all(letter in "0123456789abcdef" for letter in client_id)
    return is_hex or client_id.startswith(("Iv1.", "Iv23li", "Ov23li"))


def presets() -> dict[str, Account]:
    """Return a fresh set of the accounts every world starts with, by login."""
    return {account.login: _with_token(account) for account in _cast()}


def like(preset: str, login: str, number: int) -> Account:
    """Return a new account made like a preset. Raises KeyError when there is no such preset."""
    model = next(account for account in _cast() if account.login == preset)
    model.login = login
    model.id = 2000 + number
    return _with_token(model)


def _cast() -> list[Account]:
    business: dict[str, Any] = {
        "plan": "business",
        "sku": "copilot_for_business_seat_quota",
        "tier": "business",
        "organizations": ("octo-org",),
    }
    legacy: dict[str, Any] = {
        "billing": Era.PREMIUM,
        "entitlement": 300.0,
        "sku": "copilot_pro_yearly_quota",
        "plan": "individual",
    }
    free: dict[str, Any] = {"plan": "free", "sku": "free_limited_copilot"}
    return [
        Account("credits", 1001),
        Account("legacy", 1002, used_before=12.0, **legacy),
        Account("free", 1003, billing=Era.FREE_NEW, entitlement=200.0, **free),
        Account("free-old", 1004, billing=Era.FREE_OLD, entitlement=500.0, used_before=10.0, **free),
        Account("pro", 1016, plan="individual", sku="copilot_pro_monthly_quota", entitlement=1500.0),
        Account("noseat", 1005, state=State.NO_SEAT),
        Account("suspended", 1006, state=State.SUSPENDED),
        Account("exhausted", 1007, used_before=7000.0),
        Account("legacy-exhausted", 1008, used_before=301.0, **legacy),
        Account("limited", 1009, state=State.RATE_LIMITED),
        Account("ghe", 1010, **{**business, "tier": "ghe:octo"}, entitlement=10_000_000.0),
        Account("direct", 1011, kind="gho"),
        Account("orgpolicy", 1012, **business, entitlement=3000.0, policy_by_org=True, policies=_BY_ORGANIZATION),
        Account("business", 1013, **business, entitlement=3000.0, overage_permitted=True),
        Account("enterprise", 1014, plan="enterprise", sku="copilot_enterprise_seat_quota", tier="enterprise",
                entitlement=7000.0, user_tier="business", overage_permitted=True),
        Account("pat", 1015, kind="pat"),
    ]  # fmt: skip


_BY_ORGANIZATION = {
    "claude-opus-5.5": "unconfigured",
    "claude-sonnet-5.5": "unconfigured",
    "gpt-6.1-sol": "disabled",
    "gemini-4-argon": "unconfigured",
}


def _with_token(account: Account) -> Account:
    client = OPENCODE_CLIENT if account.kind == "gho" else VSCODE_CLIENT
    value = _token_value(account.kind, f"preset:{account.login}")
    account.github_tokens.append(GithubToken(value, account.kind, client))
    account.policies = dict(account.policies)
    return account


def _token_value(kind: str, seed: str) -> str:
    prefix = {"pat": "github_pat_11SIM", "classic": "ghp"}.get(kind, kind)
    return f"{prefix}_{sha256(seed.encode()).hexdigest()[:36]}"

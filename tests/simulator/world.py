"""The simulated world: its accounts, tokens, device grants, clock, scenarios, and the log of all it was asked.

A world is deterministic: every id is a hash of the seed and a counter, and the clock is the machine's plus a skew that
tests may set. What one answer is like is put together from three layers, later ones winning:

    the account's own `scenario`  <  rules posted to the control API  <  `@sim{...}` words in the prompt

`CORE_KEYS` are the parts of a scenario this side acts on (before any answer begins); all the others make up the
`Scenario` that generation reads.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from tests.simulator import billing, catalogue_rows, errors, rest_errors
from tests.simulator.accounts import Account, GithubToken, like, presets
from tests.simulator.apps import Installation
from tests.simulator.catalogue import Model
from tests.simulator.generate.memory import Memory
from tests.simulator.scenario import Scenario
from tests.simulator.tokens import CopilotToken, DeviceGrant, SelectorToken
from tests.simulator.wire import TYPE_TEXT, Received, Refusal, Request, encode

CORE_KEYS = frozenset({"refuse", "raw", "hold", "redirect", "models", "user_info", "exchange"})


@dataclass(slots=True)
class Settings:
    """The switches of a world. The control API can change each by name."""

    public_origin: str | None = None  # where clients reach this simulator; None: tokens name the real hosts
    token_ttl: int = 1800
    refresh_in: int = 1500
    device_ttl: int = 900
    device_interval: int = 5
    auto_approve_after: int = 0  # polls until a device is approved by itself; 0: never
    auto_approve_account: str = "credits"
    oldest_api_version: str = "2025-01-01"
    editor_version_required: bool = True
    vision_header_required: bool = True
    gho_direct: bool = True
    ghu_direct: bool = False
    quota_lag: int = 2  # generations by which the quota headers lag behind
    contradictions: dict[str, list[str]] = field(default_factory=dict)  # model -> paths refused against the list
    ttft_ms: float = 0.0
    delay_ms: float = 0.0
    log_limit: int = 20_000
    log_bytes: int = 200_000_000  # of bodies


@dataclass(slots=True)
class Rule:
    """One scenario posted to the control API: for what it counts and how often."""

    match: dict[str, str]
    times: int | None
    scenario: dict[str, Any]


class Clock:
    """The time of the world: the machine's, moved by `skew` seconds."""

    def __init__(self) -> None:
        self.skew = 0.0

    def time(self) -> float:
        """Return unix seconds."""
        return time.time() + self.skew


class World:
    """Everything the simulator knows. The server's thread changes it; a test's thread may read it at any time."""

    def __init__(self, *, seed: str = "world", settings: Settings | None = None) -> None:
        self.seed = seed
        self.settings = settings or Settings()
        self._first_settings = replace(self.settings)
        self.models: dict[str, Model] = {model.id: model for model in catalogue_rows.MODELS}
        self.clock = Clock()
        self.log: list[Received] = []
        self.lives = 0
        self.reset()

    def reset(self) -> None:
        """Begin anew: fresh accounts, no tokens, no scenarios, an empty log; the public origin stays."""
        self.lives += 1
        origin = self.settings.public_origin
        self.settings = replace(self._first_settings, public_origin=origin, contradictions={})
        self.clock.skew = 0.0
        self.accounts: dict[str, Account] = presets()
        self.scenarios: list[Rule] = []
        self.log.clear()
        self.copilot_tokens: dict[str, CopilotToken] = {}
        self.selectors: dict[str, SelectorToken] = {}
        self.grants: dict[str, DeviceGrant] = {}  # by user code
        self.installations: dict[int, Installation] = {}  # of GitHub Apps
        self.memory = Memory()
        self._asked: dict[int, dict[str, Any]] = {}
        self.charges: dict[int, billing.Charge] = {}  # by the number of the request
        self._logged = 0
        self._ids = 0
        self._requests = 0

    @property
    def ttft_ms(self) -> float:
        """Milliseconds before the first content of an answer, when its scenario names none."""
        return self.settings.ttft_ms

    @property
    def delay_ms(self) -> float:
        """Milliseconds between pieces of content, when the scenario names none."""
        return self.settings.delay_ms

    def time(self) -> float:
        """Return the world's time in unix seconds."""
        return self.clock.time()

    def digest(self, *parts: object) -> str:
        """Return 64 hex digits that depend on the seed and the parts alone."""
        return sha256(":".join([self.seed, *map(str, parts)]).encode()).hexdigest()

    def new_id(self, prefix: str = "", length: int = 24) -> str:
        """Return an id nobody had before in this world; the n-th is the same in every run."""
        self._ids += 1
        return prefix + self.digest("id", self._ids)[:length]

    def next_number(self) -> int:
        """Return the running number of the next request, from 1."""
        self._requests += 1
        return self._requests

    def github_id(self, number: int) -> str:
        """Return the `x-github-request-id` that the answer to a request carries."""
        mark = self.digest("github-request", number).upper()
        return ":".join((mark[:4], mark[4:10], mark[10:17], mark[17:24], mark[24:32]))

    def remember(self, record: Received) -> None:
        """Add a request to the log; its older half goes when the log has too many entries or too many bytes."""
        self.log.append(record)
        self._logged += len(record.request.body)
        if len(self.log) > self.settings.log_limit or self._logged > self.settings.log_bytes:
            del self.log[: len(self.log) // 2]
            self._logged = sum(len(kept.request.body) for kept in self.log)

    def forget(self, number: int) -> None:
        """Drop what was kept for the time a request was being answered."""
        self._asked.pop(number, None)

    # --- accounts and tokens ---

    def account(self, login: str) -> Account:
        """Return the account. Raises Refusal(404) when there is none."""
        try:
            return self.accounts[login]
        except KeyError:
            raise Refusal(404, f"no account {login}\n".encode()) from None

    def add_account(self, login: str, preset: str = "credits") -> Account:
        """Add an account made like a preset, with its own GitHub token, and return it."""
        account = like(preset, login, len(self.accounts))
        self.accounts[login] = account
        return account

    def holder(self, value: str) -> tuple[Account, GithubToken] | None:
        """Return the account and the record of a GitHub token, or None when it is unknown or revoked."""
        for account in self.accounts.values():
            for token in account.github_tokens:
                if token.value == value and not token.revoked:
                    return account, token
        return None

    def api_url(self, tier: str) -> str:
        """Return the base URL of the Copilot API for a tier: below `public_origin`, else the real host."""
        origin = self.settings.public_origin
        tenant = tier.removeprefix("ghe:")
        if tenant != tier:
            return f"{origin}/ghe/{tenant}/copilot" if origin else f"https://copilot-api.{tenant}.ghe.com"
        return f"{origin}/copilot-{tier}" if origin else f"https://api.{tier}.githubcopilot.com"

    def revoke_tokens(self, login: str) -> int:
        """Make the account's running Copilot tokens invalid; return how many there were."""
        running = [t for t in self.copilot_tokens.values() if t.login == login and not t.revoked]
        for token in running:
            token.revoked = True
        return len(running)

    def expire_tokens(self, login: str) -> int:
        """Put the end of the account's running Copilot tokens into the past; return how many there were."""
        running = [t for t in self.copilot_tokens.values() if t.login == login and t.expires_at > self.time()]
        for token in running:
            token.expires_at = self.time() - 1
        return len(running)

    # --- scenarios ---

    def asked(self, request: Request, account: Account | None) -> Mapping[str, Any]:
        """Return account default and matching rules as one mapping; a rule is used up once per request."""
        known = self._asked.get(request.number)
        if known is None:
            known = dict(account.scenario) if account else {}
            self._apply_rules(known, request, account)
            self._asked[request.number] = known
        return known

    def scenario_for(self, request: Request, account: Account | None, prompt_words: Mapping[str, Any]) -> Scenario:
        """Return what this answer is to be like. Raises the Refusal the prompt's words ask for."""
        refuse_as_asked(prompt_words, account)
        merged = {**self.asked(request, account), **prompt_words}
        return Scenario.from_dict({name: value for name, value in merged.items() if name not in CORE_KEYS})

    def _apply_rules(self, known: dict[str, Any], request: Request, account: Account | None) -> None:
        once = None
        for rule in self.scenarios:
            if not _matches(rule.match, request, account):
                continue
            if rule.times is None:
                known.update(rule.scenario)
            elif once is None and rule.times > 0:
                once = rule
        if once is not None and once.times is not None:
            known.update(once.scenario)
            once.times -= 1
            self.scenarios = [rule for rule in self.scenarios if rule.times is None or rule.times > 0]

    # --- billing ---

    def book(
        self,
        account: Account,
        request: Request,
        model: Model,
        bill: billing.Priced | None,
        *,
        whole: bool = True,
    ) -> int:
        """Charge one answered generation by the account's era; return the nano-AIU it cost (0 in other eras).

        What was asked before a reset is charged to nobody.
        """
        if request.world != self.lives:
            return 0
        if request.number in self.charges:
            raise RuntimeError(f"request {request.number} was charged already")
        premium = billing.premium_thousandths(account, request, model)
        nano = billing.charge(account, request, model, bill)
        self.charges[request.number] = billing.Charge(
            request.number, self.github_id(request.number), account.login, model.id, nano, premium, whole
        )
        return nano


def refuse_as_asked(wishes: Mapping[str, Any], account: Account | None = None) -> None:
    """Raise the refusal a scenario's `refuse` (a word, or a mapping with `code`) or `raw` asks for, if any."""
    raw = wishes.get("raw")
    if raw is not None:
        body = raw.get("body", "")
        data = body.encode() if isinstance(body, str) else encode(body) + b"\n"
        raise Refusal(raw.get("status", 500), data, raw.get("headers", {}), raw.get("content_type", TYPE_TEXT))
    wish = wishes.get("refuse")
    if wish is None:
        return
    options = {"code": wish} if isinstance(wish, str) else dict(wish)
    word = options["code"]
    if word in rest_errors.NOTICES and word not in errors.WORDS:
        raise rest_errors.not_entitled(word, account.login if account else "")
    raise errors.asked(word, options)


def _matches(match: Mapping[str, str], request: Request, account: Account | None) -> bool:
    if "account" in match and (account is None or account.login != match["account"]):
        return False
    if "origin" in match and request.origin != match["origin"]:
        return False
    if "method" in match and request.method != match["method"]:
        return False
    if "path" in match and not _path_fits(match["path"], request.path):
        return False
    return "model" not in match or _model_of(request) == match["model"]


def _path_fits(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern


def _model_of(request: Request) -> str | None:
    if request.method != "POST" or not request.body:
        return None
    body = request.json()
    return body.get("model") if isinstance(body, dict) else None

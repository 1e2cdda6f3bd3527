"""One model of the simulated service: what it costs, what it can do, and how `/models` describes it.

Prices are kept in US dollars per million tokens, as rate cards print them, and handed out in nano-AIU per million
(one AI credit is 1e9 nano-AIU and one US cent, so a dollar is 1e11). The rows stand in `catalogue_rows`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CHAT = "/chat/completions"
MESSAGES = "/v1/messages"
RESPONSES = "/responses"
SOCKET = "ws:/responses"
EMBEDDINGS = "/embeddings"

NANO_PER_USD = 100_000_000_000
CREDITS_PER_USD = 100
BATCH = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """What one million tokens of each kind cost, in nano-AIU: the `cost_per_batch` of `copilot_usage`."""

    input: int
    cache_read: int
    cache_write: int
    output: int


@dataclass(frozen=True, slots=True)
class Tier:
    """US dollars per million tokens, for prompts of more than `above` tokens."""

    above: int
    input: float
    cache_read: float
    cache_write: float | None
    output: float

    def prices(self) -> Prices:
        """Return the tier in nano-AIU; writing to the cache costs as much as input where no price is printed."""
        writing = self.input if self.cache_write is None else self.cache_write
        usd = (self.input, self.cache_read, writing, self.output)
        return Prices(*(round(price * NANO_PER_USD) for price in usd))

    def listed(self, context_max: int) -> dict[str, Any]:
        """Return the tier as `token_prices` prints it: credits per batch."""
        fields = {
            "cache_price": self.cache_read,
            "cache_write_price": self.cache_write,
            "input_price": self.input,
            "output_price": self.output,
        }
        shown = {name: round(usd * CREDITS_PER_USD, 6) for name, usd in fields.items() if usd is not None}
        return {**shown, "context_max": context_max}


FREE_TIER = Tier(0, 0.0, 0.0, None, 0.0)


@dataclass(frozen=True, slots=True)
class Model:
    """One model. `endpoints` is what it really serves; `/models` may say less (`listed`) or nothing (None)."""

    id: str
    name: str
    vendor: str
    endpoints: tuple[str, ...]
    prompt: int
    output: int
    context: int
    tiers: tuple[Tier, ...] = (FREE_TIER,)
    listed: tuple[str, ...] | None = None
    snapshot: str = ""  # the name answers carry; the id when empty
    kind: str = "chat"  # chat | completion | embeddings
    family: str = ""
    tokenizer: str = "o200k_base"
    category: str = "versatile"
    in_picker: bool = True
    thinking: str = "none"  # none | budget | both | adaptive | always
    efforts: tuple[str, ...] = ()
    vision: int = 0  # images a prompt may hold
    media: tuple[str, ...] = ("image/jpeg", "image/png", "image/webp")
    features: tuple[str, ...] = ("streaming", "tool_calls")
    multiplier: float = 1.0
    plans: tuple[str, ...] = ()  # empty: all of them
    integrators: tuple[str, ...] = ()  # empty: all of them
    policy: str | None = "enabled"
    fallback: bool = False
    default: bool = False
    sampling: bool = True  # accepts temperature and top_p
    max_inputs: int = 0
    warning: str = ""

    @property
    def answers_as(self) -> str:
        """The provider's name for the model, which answers carry."""
        return self.snapshot or self.id

    @property
    def is_base(self) -> bool:
        """True when premium-request plans include the model without counting."""
        return self.multiplier == 0

    def supports(self, feature: str) -> bool:
        """True when `/models` announces the feature."""
        return feature in self.features

    def prices_for(self, prompt_tokens: int) -> Prices:
        """Return what a prompt of this length costs per million tokens."""
        fitting = [tier for tier in self.tiers if prompt_tokens > tier.above or tier.above == 0]
        return fitting[-1].prices()

    def serves(self, path: str) -> bool:
        """True when a request to this path is answered for this model."""
        path = RESPONSES if path == "/v1/responses" else path
        path = MESSAGES if path == "/v1/messages/count_tokens" else path
        return path in self.endpoints


def entry(model: Model, *, by_tokens: bool, policy: str | None) -> dict[str, Any]:
    """Return the model as `/models` shows it to an account billed by tokens or by premium requests."""
    shown: dict[str, Any] = {
        "capabilities": _capabilities(model),
        "id": model.id,
        "is_chat_default": model.default,
        "is_chat_fallback": model.fallback,
        "model_picker_enabled": model.in_picker,
        "name": model.name,
        "object": "model",
        "preview": "preview" in model.id,
        "vendor": model.vendor,
        "version": model.snapshot or model.id,
    }
    if model.in_picker:
        shown["model_picker_category"] = model.category
    if model.listed is not None:
        shown["supported_endpoints"] = list(model.listed)
    if policy is not None:
        shown["policy"] = {"state": policy, "terms": f"Enable access to the latest {model.name} model."}
    if model.kind == "chat":
        shown["billing"] = _billing(model, by_tokens=by_tokens)
    if by_tokens and model.in_picker:
        shown["model_picker_price_category"] = _price_category(model)
    if model.warning:
        shown["warning_messages"] = [{"code": "model_retirement", "message": model.warning}]
    return shown


def _capabilities(model: Model) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    if model.kind == "embeddings":
        limits["max_inputs"] = model.max_inputs
    elif model.prompt:
        limits |= {
            "max_context_window_tokens": model.context,
            "max_output_tokens": model.output,
            "max_prompt_tokens": model.prompt,
        }
    if model.output > 16_000:
        limits["max_non_streaming_output_tokens"] = 16_000
    if model.vision:
        limits["vision"] = {
            "max_prompt_image_size": 3_145_728,
            "max_prompt_images": model.vision,
            "supported_media_types": list(model.media),
        }
    return {
        "family": model.family or model.id,
        "limits": limits,
        "object": "model_capabilities",
        "supports": _supports(model),
        "tokenizer": model.tokenizer,
        "type": model.kind,
    }


def _supports(model: Model) -> dict[str, Any]:
    supports: dict[str, Any] = dict.fromkeys(model.features, True)
    if model.vision:
        supports["vision"] = True
    if model.efforts:
        supports["reasoning_effort"] = list(model.efforts)
    if model.thinking in ("both", "adaptive", "always"):
        supports["adaptive_thinking"] = True
    if model.thinking in ("budget", "both"):
        supports |= {"min_thinking_budget": 1024, "max_thinking_budget": 32000}
    return supports


def _billing(model: Model, *, by_tokens: bool) -> dict[str, Any]:
    billing: dict[str, Any] = {}
    if model.plans:
        billing["restricted_to"] = list(model.plans)
    if not by_tokens:
        return billing | {"is_premium": not model.is_base, "multiplier": model.multiplier}
    first, *longer = model.tiers
    prices: dict[str, Any] = {"batch_size": BATCH}
    prices["default"] = first.listed(longer[0].above if longer else model.prompt)
    if longer:
        prices["long_context"] = longer[0].listed(model.prompt)
    return billing | {"token_prices": prices}


def _price_category(model: Model) -> str:
    price = model.tiers[0].input
    if price >= 4:
        return "high"
    return "medium" if price >= 1 else "low"

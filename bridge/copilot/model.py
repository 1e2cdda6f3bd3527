"""One entry of the upstream's model list as a typed value, whatever era and API version it was written in.

Only the id must be there; every other field may be missing or of an unexpected shape. Which endpoints a model
takes is read here and nowhere guessed from its name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import TYPE_CHECKING, TypedDict

from bridge.copilot.endpoints import Endpoint
from bridge.copilot.fields import entries, flag, number, record, text, texts, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

NANO = 1_000_000_000
# A price is in AI credits per batch. More than this ($10,000) can only be nano-AIU already.
HIGHEST_PRICE_IN_CREDITS = Decimal(1_000_000)
USUAL_BATCH = 1_000_000
NEEDS_CONSENT = frozenset({"disabled", "unconfigured", "pending", "requires_consent"})
SPELLINGS = {
    "/chat/completions": Endpoint.CHAT,
    "/v1/chat/completions": Endpoint.CHAT,
    "/responses": Endpoint.RESPONSES,
    "/v1/responses": Endpoint.RESPONSES,
    "ws:/responses": Endpoint.RESPONSES_WS,
    "/v1/messages": Endpoint.MESSAGES,
    "/messages": Endpoint.MESSAGES,
    "/embeddings": Endpoint.EMBEDDINGS,
    "/v1/embeddings": Endpoint.EMBEDDINGS,
}


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """Prices of one tier in nano-AIU per `batch_size` tokens; None where the list gives none.

    The tier holds for requests of more than `above_input_tokens` input tokens.
    """

    tier: str
    above_input_tokens: int
    batch_size: int
    input: int | None
    cached_input: int | None
    cache_write: int | None
    output: int | None


@dataclass(frozen=True, slots=True)
class Model:
    """A model as the upstream offers it to one seat. Limits are in tokens, None when not stated."""

    id: str
    name: str
    vendor: str = ""
    family: str = ""
    version: str = ""
    type: str = "chat"
    tokenizer: str = ""
    endpoints: frozenset[Endpoint] = frozenset({Endpoint.CHAT})
    max_prompt_tokens: int | None = None
    max_output_tokens: int | None = None
    max_context: int | None = None
    max_inputs: int | None = None
    max_images: int | None = None
    vision: bool = False
    streaming: bool = True
    tools: bool = False
    parallel: bool = False
    structured_outputs: bool = False
    reasoning_efforts: tuple[str, ...] = ()
    adaptive_thinking: bool = False
    min_thinking_budget: int | None = None
    max_thinking_budget: int | None = None
    prices: tuple[TokenPrice, ...] = ()
    multiplier_thousandths: int | None = None
    policy_state: str = ""
    preview: bool = False
    picker_enabled: bool = False
    fallback: bool = False
    warnings: tuple[str, ...] = ()
    request_headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    raw: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}), repr=False, compare=False)

    @property
    def needs_consent(self) -> bool:
        """The account's owner must agree to the model's terms at GitHub before its first use."""
        return self.policy_state in NEEDS_CONSENT


def read_model(value: object) -> Model | None:
    """Return the model of a list entry, or None when it has no id."""
    entry = record(value)
    model_id = text(entry, "id")
    if not model_id:
        return None
    capabilities = record(entry.get("capabilities"))
    billing = record(entry.get("billing"))
    kind = text(capabilities, "type", "chat")
    return Model(
        id=model_id,
        name=text(entry, "name") or model_id,
        vendor=text(entry, "vendor"),
        family=text(capabilities, "family"),
        version=text(entry, "version"),
        type=kind,
        tokenizer=text(capabilities, "tokenizer"),
        endpoints=_endpoints(entry, kind),
        prices=_prices(record(billing.get("token_prices"))),
        multiplier_thousandths=_thousandths(billing.get("multiplier")),
        policy_state=text(record(entry.get("policy")), "state"),
        preview=flag(entry, "preview"),
        picker_enabled=flag(entry, "model_picker_enabled"),
        fallback=flag(entry, "is_chat_fallback"),
        warnings=_warnings(entry),
        request_headers=_headers(entry),
        raw=MappingProxyType(dict(entry)),
        **_limits(record(capabilities.get("limits"))),
        **_abilities(record(capabilities.get("supports")), record(capabilities.get("limits"))),
    )


class _Limits(TypedDict):
    max_prompt_tokens: int | None
    max_output_tokens: int | None
    max_context: int | None
    max_inputs: int | None
    max_images: int | None


class _Abilities(TypedDict):
    vision: bool
    streaming: bool
    tools: bool
    parallel: bool
    structured_outputs: bool
    reasoning_efforts: tuple[str, ...]
    adaptive_thinking: bool
    min_thinking_budget: int | None
    max_thinking_budget: int | None


def _limits(limits: Mapping[str, object]) -> _Limits:
    return {
        "max_prompt_tokens": _positive(limits, "max_prompt_tokens"),
        "max_output_tokens": _positive(limits, "max_output_tokens"),
        "max_context": _positive(limits, "max_context_window_tokens"),
        "max_inputs": _positive(limits, "max_inputs"),
        "max_images": _positive(record(limits.get("vision")), "max_prompt_images"),
    }


def _abilities(supports: Mapping[str, object], limits: Mapping[str, object]) -> _Abilities:
    return {
        "vision": flag(supports, "vision", default=bool(record(limits.get("vision")))),
        "streaming": flag(supports, "streaming", default=True),
        "tools": flag(supports, "tool_calls"),
        "parallel": flag(supports, "parallel_tool_calls"),
        "structured_outputs": flag(supports, "structured_outputs"),
        "reasoning_efforts": texts(supports.get("reasoning_effort")),
        "adaptive_thinking": flag(supports, "adaptive_thinking"),
        "min_thinking_budget": _positive(supports, "min_thinking_budget"),
        "max_thinking_budget": _positive(supports, "max_thinking_budget"),
    }


def _endpoints(entry: Mapping[str, object], kind: str) -> frozenset[Endpoint]:
    listed = texts(entry.get("supported_endpoints"))
    if listed:
        return frozenset(SPELLINGS[path] for path in listed if path in SPELLINGS)
    # Older lists and embedding models name none: the type decides. Completion models answer on another host.
    match kind:
        case "embeddings":
            return frozenset({Endpoint.EMBEDDINGS})
        case "completion":
            return frozenset()
        case _:
            return frozenset({Endpoint.CHAT})


def _prices(table: Mapping[str, object]) -> tuple[TokenPrice, ...]:
    """Return the tiers in ascending order; each begins where the one before it ends."""
    batch = _positive(table, "batch_size") or USUAL_BATCH
    tiers = [(name, record(tier)) for name, tier in table.items() if isinstance(tier, dict)]
    if not tiers and "input_price" in table:
        tiers = [("default", table)]
    tiers.sort(key=lambda each: (each[0] != "default", number(each[1], "context_max") or 0))
    found, above = [], 0
    for name, tier in tiers:
        found.append(
            TokenPrice(
                tier=name,
                above_input_tokens=above,
                batch_size=batch,
                input=_nano(tier.get("input_price")),
                cached_input=_nano(tier.get("cache_price")),
                cache_write=_nano(tier.get("cache_write_price")),
                output=_nano(tier.get("output_price")),
            )
        )
        above = whole(tier, "context_max") or above
    return tuple(found)


def _nano(price: object) -> int | None:
    credits_per_batch = _decimal(price)
    if credits_per_batch is None:
        return None
    return int(credits_per_batch if credits_per_batch > HIGHEST_PRICE_IN_CREDITS else credits_per_batch * NANO)


def _thousandths(multiplier: object) -> int | None:
    found = _decimal(multiplier)
    return None if found is None else int((found * 1000).to_integral_value())


def _decimal(value: object) -> Decimal | None:
    """Return a number that is not negative exactly as it was written."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and found >= 0 else None


def _positive(source: Mapping[str, object], name: str) -> int | None:
    found = whole(source, name)
    return found if found is not None and found > 0 else None


def _warnings(entry: Mapping[str, object]) -> tuple[str, ...]:
    listed = [text(record(each), "message") for each in entries(entry.get("warning_messages"))]
    return tuple(sentence for sentence in (*listed, text(entry, "warning_text")) if sentence)


def _headers(entry: Mapping[str, object]) -> Mapping[str, str]:
    """Return the headers the list wants sent with this model; never one that could carry or move a credential."""
    given = record(entry.get("requestHeaders")) or record(entry.get("request_headers"))
    held_back = {"authorization", "host", "cookie", "content-length", "transfer-encoding", "connection"}
    return MappingProxyType(
        {
            name: value
            for name, value in given.items()
            if isinstance(value, str) and (name + value).isascii() and (name + value).isprintable()
            if name.lower() not in held_back
        }
    )

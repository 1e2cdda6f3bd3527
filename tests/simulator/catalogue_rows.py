"""The models the simulated service offers in autumn 2026, with the prices of the November rate card.

A row per model, grouped by maker; `catalogue` says what the columns mean. Ids that only older tables name stand at the
end. Two rows of `/models` are no models at all: see `ODDITIES`.
"""

from __future__ import annotations

from typing import Any

from tests.simulator.catalogue import CHAT, EMBEDDINGS, MESSAGES, RESPONSES, SOCKET, Model, Tier

PAID = ("pro", "pro_plus", "individual_trial", "business", "enterprise", "max")
STRONG = ("pro_plus", "business", "enterprise", "max")
K = 1000

_LOW_HIGH = ("low", "medium", "high")
_LOW_MAX = ("low", "medium", "high", "max")
_LOW_XMAX = ("low", "medium", "high", "xhigh", "max")
_LOW_XHIGH = ("low", "medium", "high", "xhigh")
_NONE_XHIGH = ("none", "low", "medium", "high", "xhigh")
_NONE_MAX = ("none", "low", "medium", "high", "xhigh", "max")
_GPT_MEDIA = ("image/jpeg", "image/png", "image/webp", "image/gif")
_BASIC = ("streaming", "tool_calls", "parallel_tool_calls")
_FULL = (*_BASIC, "structured_outputs")


def _claude(
    version: str,
    limits: tuple[int, int],
    tiers: tuple[Tier, ...],
    *,
    thinking: str,
    efforts: tuple[str, ...] = (),
    **more: Any,
) -> Model:
    prompt, output = limits
    id_ = f"claude-{version}"
    more.setdefault("endpoints", (CHAT, MESSAGES))
    more.setdefault("listed", (MESSAGES, CHAT))
    more.setdefault("snapshot", id_.replace(".", "-"))
    more.setdefault("vision", 5)
    more.setdefault("plans", PAID)
    more.setdefault("features", _FULL if efforts else _BASIC)
    name = " ".join(word.capitalize() for word in id_.split("-"))
    return Model(
        id_, name, "Anthropic", prompt=prompt, output=output, context=prompt + output,
        tiers=tiers, thinking=thinking, efforts=efforts, **more,
    )  # fmt: skip


def _gpt(
    version: str,
    limits: tuple[int, int],
    tiers: tuple[Tier, ...],
    *,
    efforts: tuple[str, ...] = _NONE_XHIGH,
    **more: Any,
) -> Model:
    prompt, output = limits
    id_ = f"gpt-{version}"
    more.setdefault("endpoints", (RESPONSES,))
    more.setdefault("listed", (RESPONSES, SOCKET))
    more.setdefault("vision", 1)
    more.setdefault("media", _GPT_MEDIA)
    more.setdefault("plans", PAID)
    more.setdefault("features", _FULL)
    more.setdefault("sampling", False)
    more.setdefault("category", "powerful")
    family, *words = version.split("-")
    name = " ".join([f"GPT-{family}", *(word.capitalize() for word in words)])
    return Model(
        id_, name, more.pop("vendor", "OpenAI"), prompt=prompt, output=output,
        context=prompt + output, tiers=tiers, efforts=efforts, **more,
    )  # fmt: skip


def _chat(
    id_: str, name: str, vendor: str, limits: tuple[int, int, int], tiers: tuple[Tier, ...], **more: Any
) -> Model:
    prompt, output, context = limits
    more.setdefault("endpoints", (CHAT,))
    more.setdefault("plans", PAID)
    more.setdefault("features", _FULL)
    return Model(id_, name, vendor, prompt=prompt, output=output, context=context, tiers=tiers, **more)


def _long(above: int, first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Tier, ...]:
    return (Tier(0, *first), Tier(above, *second))


_FABLE: dict[str, Any] = {
    "plans": STRONG,
    "category": "powerful",
    "multiplier": 10.0,
    "integrators": ("vscode-chat", "copilot-developer-cli"),
}
_OPUS: dict[str, Any] = {"category": "powerful", "multiplier": 3.0}
_HAIKU: dict[str, Any] = {"category": "lightweight", "multiplier": 0.33, "plans": ()}
_WIDE = (200 * K, 64 * K)
_OPUS_PRICE = (Tier(0, 5, 0.5, 6.25, 25),)
_SONNET_PRICE = (Tier(0, 3, 0.3, 3.75, 15),)
_FAST_PRICE = (Tier(0, 10, 1, 12.5, 50),)
_OLD_OPUS = (128 * K, 32 * K)
_LEAVING = "This model will be retired on {}. Please choose another one."

CLAUDE = (
    _claude("fable-5", _WIDE, _FAST_PRICE, thinking="always", efforts=_LOW_XMAX, **_FABLE),
    _claude("fable-5.1", _WIDE, (Tier(0, 10, 0.25, 12.5, 50),), thinking="always", efforts=_LOW_XMAX, **_FABLE),
    _claude("haiku-4.5", (128 * K, 16 * K), (Tier(0, 1, 0.1, 1.25, 5),), thinking="budget",
            snapshot="claude-haiku-4-5-20251001", **_HAIKU),
    _claude("haiku-5.5", (128 * K, 16 * K), _long(100 * K, (0.1, 0.01, 0.125, 0.5), (0.5, 0.05, 0.625, 2.5)),
            thinking="adaptive", efforts=_LOW_HIGH, **_HAIKU),
    _claude("opus-4.5", _OLD_OPUS, _OPUS_PRICE, thinking="budget", efforts=_LOW_HIGH,
            snapshot="claude-opus-4-5-20251101", **_OPUS),
    _claude("opus-4.6", (936 * K, 64 * K), _OPUS_PRICE, thinking="both", efforts=_LOW_MAX, **_OPUS),
    _claude("opus-4.7", _WIDE, _OPUS_PRICE, thinking="adaptive", efforts=_LOW_XMAX, **_OPUS),
    _claude("opus-4.8", _WIDE, _OPUS_PRICE, thinking="adaptive", efforts=_LOW_XMAX,
            warning=_LEAVING.format("2026-11-16"), **_OPUS),
    _claude("opus-4.8-fast", _WIDE, _FAST_PRICE, thinking="adaptive", efforts=_LOW_XMAX,
            policy="unconfigured", plans=STRONG, category="powerful", multiplier=30.0,
            warning=_LEAVING.format("2026-11-16")),
    _claude("opus-5", (936 * K, 64 * K), _OPUS_PRICE, thinking="adaptive", efforts=_LOW_XMAX,
            warning=_LEAVING.format("2026-11-16"), **_OPUS),
    # The one of them that is offered in its vendor's own format alone.
    _claude("opus-5.5", (200 * K, 128 * K), (Tier(0, 4, 0.2, 5, 20),), thinking="always", efforts=_LOW_XMAX,
            endpoints=(MESSAGES,), listed=(MESSAGES,), **_OPUS),
    _claude("sonnet-4", (128 * K, 16 * K), _SONNET_PRICE, thinking="budget", endpoints=(CHAT, MESSAGES),
            listed=(CHAT,), snapshot="claude-sonnet-4-20250514"),
    _claude("sonnet-4.5", (128 * K, 16 * K), _SONNET_PRICE, thinking="budget", endpoints=(CHAT, MESSAGES),
            listed=(CHAT,), snapshot="claude-sonnet-4-5-20250929"),
    _claude("sonnet-4.6", _WIDE, _SONNET_PRICE, thinking="both", efforts=_LOW_MAX,
            warning=_LEAVING.format("2026-09-01")),
    _claude("sonnet-5", _WIDE, (Tier(0, 2, 0.2, 2.5, 10),), thinking="adaptive", efforts=_LOW_XMAX),
    _claude("sonnet-5.5", (200 * K, 128 * K), (Tier(0, 2, 0.1, 2.5, 10),), thinking="always", efforts=_LOW_XMAX),
)  # fmt: skip

_CODEX: dict[str, Any] = {"efforts": _LOW_XHIGH}
_MINI: dict[str, Any] = {"category": "lightweight", "multiplier": 0.33}
_HUGE = (922 * K, 128 * K)
_USUAL = (272 * K, 128 * K)

GPT = (
    _gpt("5-mini", (128 * K, 64 * K), (Tier(0, 0.25, 0.025, None, 2),), efforts=("minimal", *_LOW_HIGH),
         endpoints=(CHAT, RESPONSES), listed=(CHAT, RESPONSES), plans=(), multiplier=0.0, category="lightweight"),
    _gpt("5.2", _USUAL, (Tier(0, 1.75, 0.175, None, 14),), endpoints=(CHAT, RESPONSES), listed=(CHAT, RESPONSES)),
    _gpt("5.2-codex", _USUAL, (Tier(0, 1.75, 0.175, None, 14),), listed=(RESPONSES,), **_CODEX),
    _gpt("5.3-codex", (128 * K, 128 * K), (Tier(0, 1.75, 0.175, None, 14),), **_CODEX),
    _gpt("5.4", _USUAL, _long(272 * K, (2.5, 0.25, None, 15), (5, 0.5, None, 22.5)),
         endpoints=(CHAT, RESPONSES), listed=(CHAT, RESPONSES, SOCKET)),
    _gpt("5.4-mini", _USUAL, (Tier(0, 0.75, 0.075, None, 4.5),), **_MINI),
    _gpt("5.4-nano", _USUAL, (Tier(0, 0.2, 0.02, None, 1.25),), **_MINI),
    _gpt("5.5", _USUAL, _long(272 * K, (5, 0.5, None, 30), (10, 1, None, 45)), multiplier=7.5),
    _gpt("5.6-luna", (200 * K, 128 * K), _long(200 * K, (0.2, 0.02, 0.25, 1.2), (0.4, 0.04, 0.5, 1.8)), **_MINI),
    _gpt("5.6-sol", _USUAL, _long(272 * K, (4, 0.4, 5, 20), (8, 0.8, 10, 30)), efforts=_NONE_MAX, plans=STRONG),
    _gpt("5.6-terra", _USUAL, _long(272 * K, (2, 0.2, 2.5, 12), (4, 0.4, 5, 18)), efforts=_NONE_MAX,
         warning=_LEAVING.format("2026-11-16")),
    _gpt("6-astra", _HUGE, _long(272 * K, (10, 1, 12.5, 50), (20, 2, 25, 75)), efforts=_NONE_MAX, plans=STRONG,
         integrators=("vscode-chat", "copilot-developer-cli"), multiplier=10.0),
    _gpt("6-luna", _HUGE, _long(272 * K, (0.1, 0.01, 0.125, 0.5), (0.2, 0.02, 0.25, 0.75)), efforts=_NONE_MAX,
         **_MINI),
    _gpt("6-sol", _HUGE, _long(272 * K, (2, 0.2, 2.5, 10), (4, 0.4, 5, 15)), efforts=_NONE_MAX, plans=STRONG),
    _gpt("6.1-sol", _HUGE, _long(272 * K, (2, 0.1, 2.5, 10), (4, 0.2, 5, 15)), efforts=_NONE_MAX, plans=STRONG),
    _gpt("6.1-terra", _HUGE, _long(272 * K, (1, 0.05, 1.25, 5), (2, 0.1, 2.5, 7.5)), efforts=_NONE_MAX),
)  # fmt: skip

_GEMINI: dict[str, Any] = {"vision": 10, "multiplier": 0.33, "listed": (CHAT,)}
_NO_SAMPLING: dict[str, Any] = {**_GEMINI, "sampling": False}
_GROK: dict[str, Any] = {"listed": (CHAT,), "efforts": _LOW_XHIGH, "vision": 1}
_GROK_PRICE = _long(200 * K, (2, 0.5, None, 6), (4, 1, None, 12))
_GROK_LIMITS = (500 * K, 500 * K, 500 * K)

OTHERS = (
    _chat("gemini-3.1-pro-preview", "Gemini 3.1 Pro (Preview)", "Google", (200 * K, 64 * K, 264 * K),
          _long(200 * K, (2, 0.2, None, 12), (4, 0.4, None, 18)), vision=10),
    _chat("gemini-3.5-flash", "Gemini 3.5 Flash", "Google", (200 * K, 64 * K, 264 * K),
          (Tier(0, 1.5, 0.15, None, 9),), **_GEMINI),
    _chat("gemini-3.6-flash", "Gemini 3.6 Flash", "Google", (200 * K, 64 * K, 264 * K),
          (Tier(0, 0.75, 0.075, None, 3.75),), **_GEMINI),
    _chat("gemini-3.7-flash", "Gemini 3.7 Flash", "Google", (200 * K, 64 * K, 264 * K),
          (Tier(0, 0.75, 0.075, None, 3.75),), **_NO_SAMPLING),
    _chat("gemini-3.8-flash", "Gemini 3.8 Flash", "Google", (200 * K, 65536, 265536),
          (Tier(0, 0.75, 0.075, None, 3.75),), **_NO_SAMPLING),
    _chat("gemini-4-argon", "Gemini 4 Argon", "Google", (200 * K, 65536, 265536),
          (Tier(0, 2, 0.1, None, 10),), vision=10, listed=(CHAT,)),
    _chat("grok-4.5", "Grok 4.5", "xAI", _GROK_LIMITS, _GROK_PRICE, **_GROK),
    _chat("grok-4.6", "Grok 4.6", "xAI", _GROK_LIMITS, _GROK_PRICE, policy="unconfigured", **_GROK),
    _chat("grok-4.7", "Grok 4.7", "xAI", _GROK_LIMITS, _GROK_PRICE, **_GROK),
    _chat("kimi-k2.7-code", "Kimi K2.7 Code", "Moonshot AI", (256 * K, 64 * K, 320 * K),
          (Tier(0, 0.95, 0.19, None, 4),), listed=(CHAT,), policy=None),
    _chat("kimi-k3", "Kimi K3", "Moonshot AI", (917504, 131072, 1048576), (Tier(0, 3, 0.3, None, 15),),
          listed=(CHAT,), policy=None),
    _chat("mai-code-1-flash", "MAI-Code-1-Flash", "Microsoft", (128 * K, 128 * K, 256 * K),
          (Tier(0, 0.75, 0.075, None, 4.5),), endpoints=(RESPONSES,), listed=(RESPONSES,), policy=None),
    _chat("mai-code-1.1-flash", "MAI-Code-1.1-Flash", "Microsoft", (128 * K, 128 * K, 256 * K),
          (Tier(0, 0.2, 0.02, None, 1.2),), endpoints=(RESPONSES,), listed=(RESPONSES,), policy=None),
    _chat("raptor-mini", "Raptor mini (Preview)", "Azure OpenAI", (200 * K, 64 * K, 264 * K),
          (Tier(0, 0.25, 0.025, None, 2),), multiplier=0.0, plans=(), endpoints=(CHAT, RESPONSES),
          listed=(CHAT, RESPONSES), sampling=False),
)  # fmt: skip


def _old(id_: str, name: str, limits: tuple[int, int, int], tier: Tier, **more: Any) -> Model:
    more.setdefault("in_picker", False)
    more.setdefault("policy", None)
    more.setdefault("features", _BASIC)
    more.setdefault("vision", 1)
    return _chat(id_, name, "Azure OpenAI", limits, (tier,), plans=(), multiplier=0.0, media=_GPT_MEDIA, **more)


_FOUR_O = (64 * K, 16384, 128 * K)
_FOUR = (32768, 4096, 32768)
_TURBO = (16384, 4096, 16384)
_P41 = Tier(0, 2, 0.5, None, 8)
_P4O = Tier(0, 2.5, 1.25, None, 10)
_P4OM = Tier(0, 0.15, 0.075, None, 0.6)
_P4 = Tier(0, 30, 30, None, 60)
_P35 = Tier(0, 0.5, 0.5, None, 1.5)
_OLD_TEXT: dict[str, Any] = {"vision": 0, "tokenizer": "cl100k_base", "features": ("streaming", "tool_calls")}
_EMBEDDING: dict[str, Any] = {
    "endpoints": (EMBEDDINGS,), "kind": "embeddings", "in_picker": False, "policy": None, "plans": (),
    "tokenizer": "cl100k_base", "max_inputs": 512, "multiplier": 0.0,
}  # fmt: skip
_PEMB = (Tier(0, 0.02, 0.02, None, 0),)

OLDER = (
    _old("gpt-4.1", "GPT-4.1", (128 * K, 16384, 128 * K), _P41, snapshot="gpt-4.1-2025-04-14", in_picker=True,
         fallback=True, default=True, features=_FULL, policy="enabled"),
    _old("gpt-4.1-2025-04-14", "GPT-4.1", (128 * K, 16384, 128 * K), _P41, family="gpt-4.1", features=_FULL),
    _old("gpt-4o", "GPT-4o", _FOUR_O, _P4O, snapshot="gpt-4o-2024-11-20", in_picker=True),
    _old("gpt-4o-2024-05-13", "GPT-4o", _FOUR_O, _P4O, family="gpt-4o"),
    _old("gpt-4o-2024-08-06", "GPT-4o", _FOUR_O, _P4O, family="gpt-4o"),
    _old("gpt-4o-2024-11-20", "GPT-4o", _FOUR_O, _P4O, family="gpt-4o"),
    _old("gpt-4-o-preview", "GPT-4o", _FOUR_O, _P4O, family="gpt-4o", snapshot="gpt-4o-2024-05-13"),
    _old("gpt-4o-mini", "GPT-4o mini", _FOUR_O, _P4OM, snapshot="gpt-4o-mini-2024-07-18"),
    _old("gpt-4o-mini-2024-07-18", "GPT-4o mini", _FOUR_O, _P4OM, family="gpt-4o-mini"),
    _old("gpt-4", "GPT 4", _FOUR, _P4, snapshot="gpt-4-0613", **_OLD_TEXT),
    _old("gpt-4-0613", "GPT 4", _FOUR, _P4, family="gpt-4", **_OLD_TEXT),
    _old("gpt-3.5-turbo", "GPT 3.5 Turbo", _TURBO, _P35, snapshot="gpt-3.5-turbo-0613", **_OLD_TEXT),
    _old("gpt-3.5-turbo-0613", "GPT 3.5 Turbo", _TURBO, _P35, family="gpt-3.5-turbo", **_OLD_TEXT),
    _old("gpt-41-copilot", "GPT-4.1 Copilot", (0, 0, 0), _P41, kind="completion", vision=0, endpoints=(),
         features=("streaming",)),
    _chat("text-embedding-3-small", "Embedding V3 small", "Azure OpenAI", (8191, 0, 8191), _PEMB,
          features=("dimensions",), **_EMBEDDING),
    _chat("text-embedding-3-small-inference", "Embedding V3 small (Inference)", "Azure OpenAI", (8191, 0, 8191),
          _PEMB, features=("dimensions",), family="text-embedding-3-small",
          snapshot="text-embedding-3-small", integrators=("vscode-chat",), **_EMBEDDING),
    _chat("text-embedding-ada-002", "Embedding V2 Ada", "Azure OpenAI", (8191, 0, 8191), _PEMB, features=(),
          **_EMBEDDING),
)  # fmt: skip

MODELS = (*CLAUDE, *GPT, *OTHERS, *OLDER)

ODDITIES: tuple[dict[str, Any], ...] = (
    {"id": "experimental-7", "object": "model", "vendor": "Unheard-of Labs"},
    {
        "id": "trajectory-compaction", "name": "Trajectory Compaction", "object": "model", "vendor": "Azure OpenAI",
        "capabilities": {"type": "chat", "supports": {"teleportation": {"range": [1, 2]}}, "limits": None},
        "billing": None, "custom_model": {"key_name": "byok", "owner_name": "octo-org"}, "info_messages": [],
        "supported_endpoints": ["/telepathy"], "zeta": {"unknown": True}, "policy": {"state": "pending"},
    },
)  # fmt: skip

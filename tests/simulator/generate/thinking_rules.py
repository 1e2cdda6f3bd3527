"""What /v1/messages refuses about thinking: which kind a model takes, budgets, and what does not go with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulator.catalogue import Model
    from tests.simulator.generate.message_rules import Clerk

_LEAST = 1024
_MOST = 32_000
_KEYS = {"enabled": ("type", "budget_tokens", "display"), "adaptive": ("type", "display"), "disabled": ("type",)}


def check_thinking(body: dict[str, Any], model: Model, clerk: Clerk) -> None:
    """Refuse thinking the model cannot do, and settings that exclude it."""
    thinking = body.get("thinking")
    if thinking is None:
        return
    kind = thinking.get("type")
    if kind not in _KEYS:
        raise clerk.refusal("thinking: Input should be 'adaptive', 'enabled' or 'disabled'")
    for key in thinking:
        if key not in _KEYS[kind]:
            raise clerk.extra(f"thinking.{kind}.{key}")
    _check_kind(kind, model, clerk)
    if kind == "disabled":
        return
    if kind == "enabled":
        _check_budget(thinking.get("budget_tokens"), body["max_tokens"], clerk)
        _check_last_turn(body["messages"], clerk)
    _check_company(body, clerk)


def _check_kind(kind: str, model: Model, clerk: Clerk) -> None:
    match kind, model.thinking:
        case "adaptive", "none" | "budget":
            raise clerk.refusal("adaptive thinking is not supported on this model")
        case "enabled", "adaptive" | "always":
            raise clerk.refusal(
                '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and '
                '"output_config.effort" to control thinking behavior.'
            )
        case "disabled", "always":
            raise clerk.refusal('"thinking.type.disabled" is not supported for this model.')


def _check_budget(budget: Any, limit: int, clerk: Clerk) -> None:
    if not isinstance(budget, int):
        raise clerk.refusal("thinking.enabled.budget_tokens: Field required")
    if budget < _LEAST:
        raise clerk.refusal(f"thinking.enabled.budget_tokens: Input should be greater than or equal to {_LEAST}")
    if budget >= limit:
        raise clerk.refusal("`max_tokens` must be greater than `thinking.budget_tokens`.")
    if budget > _MOST:
        raise clerk.refusal(f"thinking.enabled.budget_tokens: Input should be less than or equal to {_MOST}")


def _check_company(body: dict[str, Any], clerk: Clerk) -> None:
    if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        raise clerk.refusal("Thinking may not be enabled when tool_choice forces tool use.")
    if body.get("temperature") not in (None, 1):
        raise clerk.refusal("`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.")
    if body.get("top_k") is not None:
        raise clerk.refusal("`top_k` must be unset when thinking is enabled or in adaptive mode.")
    if body.get("top_p") is not None and body["top_p"] < 0.95:
        raise clerk.refusal("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.")


def _check_last_turn(messages: list[dict[str, Any]], clerk: Clerk) -> None:
    """With a budget, an assistant turn whose tools are just being answered must begin with thinking."""
    results = messages[-1]["content"]
    answering = isinstance(results, list) and any(block.get("type") == "tool_result" for block in results)
    if not answering or len(messages) < 2 or not isinstance(messages[-2]["content"], list):
        return
    first = messages[-2]["content"][0].get("type")
    if first not in ("thinking", "redacted_thinking"):
        raise clerk.refusal(
            f"messages.{len(messages) - 2}.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
            f"`{first}`. When `thinking` is enabled, a final `assistant` message must start with a thinking block."
        )

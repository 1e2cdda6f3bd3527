"""Messages, what a model takes beside the conversation: limits, thinking, effort, sampling, and what excludes what.

Claude's models think in one of two ways. Those that are *adaptive* decide themselves and are told an effort; the
others think when they are given a budget of tokens, which is a part of `max_tokens`. While a model thinks it takes
neither its own temperature nor a forced tool call. Sources:
https://docs.claude.com/en/docs/build-with-claude/extended-thinking, https://docs.claude.com/en/docs/build-with-claude/adaptive-thinking
"""

from __future__ import annotations

from typing import Any

from bridge.effort import budget_of_effort, effort_of_budget, nearest_effort
from bridge.target import Target

NAMES = (
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "metadata",
    "thinking",
    "output_config",
    "tool_choice",
)
LEAST_BUDGET = 1024
_USUAL_EFFORT = "high"
_LEAST_TOP_P = 0.95
_LONGEST_USER = 256

Settings = dict[str, Any]


def fit_settings(settings: Settings, target: Target, dropped: list[str], *, thought_is_missing: bool) -> None:
    """Change `settings` to what `target` takes, and name in `dropped` what was lost.

    `thought_is_missing`: the conversation ends in results for an assistant turn that does not begin with thinking,
    after which a model with a budget may not think.
    """
    _drop_refused(settings, target, dropped)
    _bound_output(settings, target)
    _fit_metadata(settings, dropped)
    _fit_kind(settings, target, dropped)
    _fit_effort(settings, target, dropped)
    _fit_budget(settings, target, dropped, thought_is_missing=thought_is_missing)
    _fit_company(settings, dropped)
    if settings.get("temperature") is not None and settings.pop("top_p", None) is not None:
        dropped.append("top_p")  # Quirk messages-one-sampling


def thinks(settings: Settings) -> bool:
    thinking = settings.get("thinking")
    return isinstance(thinking, dict) and thinking.get("type") in ("enabled", "adaptive")


def _drop_refused(settings: Settings, target: Target, dropped: list[str]) -> None:
    """A model that always thinks refuses `thinking` for being `disabled`; asking it to think stays allowed."""
    for name in sorted(target.refused & settings.keys() - {"max_tokens"}):
        if name == "thinking" and target.adaptive_thinking and thinks(settings):
            continue
        if settings.pop(name) is not None:
            dropped.append(name)


def _bound_output(settings: Settings, target: Target) -> None:
    """Quirk messages-max-tokens: more than the model can write is answered with 400 and not with less."""
    limit = settings.get("max_tokens")
    if isinstance(limit, int) and target.max_output_tokens and limit > target.max_output_tokens:
        settings["max_tokens"] = target.max_output_tokens


def _fit_metadata(settings: Settings, dropped: list[str]) -> None:
    """Only `user_id` is known, of at most 256 characters."""
    metadata = settings.pop("metadata", None)
    if not isinstance(metadata, dict):
        return
    user = metadata.get("user_id")
    if isinstance(user, str) and len(user) <= _LONGEST_USER:
        settings["metadata"] = {"user_id": user}
    if any(value is not None for name, value in metadata.items() if name != "user_id" or "metadata" not in settings):
        dropped.append("metadata")


def _fit_kind(settings: Settings, target: Target, dropped: list[str]) -> None:
    """Quirk messages-thinking-kind: each model takes one way of thinking and refuses the other.

    Quirk messages-thinking-company: beside a forced call it takes neither, and the call is what was asked for.
    """
    thinking = settings.pop("thinking", None)
    if not isinstance(thinking, dict):
        return
    kind = thinking.get("type")
    can_think = target.adaptive_thinking or target.max_thinking_budget is not None
    if kind == "disabled":
        if can_think:
            settings["thinking"] = {"type": "disabled"}
    elif not can_think or kind not in ("enabled", "adaptive") or _forces_a_call(settings):
        dropped.append("thinking")
    elif target.adaptive_thinking:
        settings["thinking"] = _adaptive(thinking, settings)
    else:
        settings["thinking"] = _budgeted(thinking, settings, target)


def _adaptive(thinking: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Quirk messages-thinking-display: from Claude 4.7 on nothing is shown unless a summary is asked for."""
    budget = thinking.get("budget_tokens")
    if isinstance(budget, int) and _effort(settings) is None:
        _set_effort(settings, effort_of_budget(budget))
    display = thinking.get("display")
    return {"type": "adaptive", "display": display if isinstance(display, str) else "summarized"}


def _budgeted(thinking: dict[str, Any], settings: Settings, target: Target) -> dict[str, Any]:
    least, most = _bounds(target)
    budget = thinking.get("budget_tokens")
    if not isinstance(budget, int) or isinstance(budget, bool):
        budget = budget_of_effort(_effort(settings) or _USUAL_EFFORT, least, most)
        if not target.efforts:
            _set_effort(settings, None)  # it lives on in the budget
    fitted: dict[str, Any] = {"type": "enabled", "budget_tokens": min(most, max(least, budget))}
    if isinstance(thinking.get("display"), str):
        fitted["display"] = thinking["display"]
    return fitted


def _fit_effort(settings: Settings, target: Target, dropped: list[str]) -> None:
    """Quirk messages-effort: an effort the model does not list becomes the nearest that it lists.

    A model that thinks by budget and lists no efforts takes none.
    """
    effort = _effort(settings)
    if effort is None or (target.efforts is None and target.adaptive_thinking):
        return
    nearest = nearest_effort(effort, target.efforts or ())
    if nearest == effort:
        return
    dropped.append("effort")
    _set_effort(settings, nearest)


def _fit_budget(settings: Settings, target: Target, dropped: list[str], *, thought_is_missing: bool) -> None:
    """Quirk messages-budget: the budget must leave room below `max_tokens`, which is raised as far as the model goes.

    An answer shorter than the least budget is a probe, for which nothing need be thought.
    """
    thinking = settings.get("thinking")
    if not isinstance(thinking, dict) or thinking.get("type") != "enabled":
        return
    least, _ = _bounds(target)
    limit, budget = settings.get("max_tokens"), thinking["budget_tokens"]
    if thought_is_missing or (isinstance(limit, int) and limit <= least):
        del settings["thinking"]
        dropped.append("thinking")
        return
    if not isinstance(limit, int) or budget < limit:
        return
    raised = min(limit + budget, target.max_output_tokens or limit + budget)
    settings["max_tokens"] = raised
    if budget >= raised:
        thinking["budget_tokens"] = max(least, raised * 3 // 4)


def _fit_company(settings: Settings, dropped: list[str]) -> None:
    """Quirk messages-thinking-company: a model that thinks takes no sampling of the caller's."""
    if not thinks(settings):
        return
    top_p = settings.get("top_p")
    excluded = {
        "temperature": settings.get("temperature") not in (None, 1),
        "top_k": settings.get("top_k") is not None,
        "top_p": isinstance(top_p, int | float) and top_p < _LEAST_TOP_P,
    }
    for name in (name for name, is_excluded in excluded.items() if is_excluded):
        del settings[name]
        dropped.append(name)


def _forces_a_call(settings: Settings) -> bool:
    choice = settings.get("tool_choice")
    return isinstance(choice, dict) and choice.get("type") in ("any", "tool")


def _effort(settings: Settings) -> str | None:
    config = settings.get("output_config")
    effort = config.get("effort") if isinstance(config, dict) else None
    return effort if isinstance(effort, str) else None


def _set_effort(settings: Settings, effort: str | None) -> None:
    given = settings.pop("output_config", None)
    config = {name: value for name, value in given.items() if name != "effort"} if isinstance(given, dict) else {}
    if effort is not None:
        config["effort"] = effort
    if config:
        settings["output_config"] = config


def _bounds(target: Target) -> tuple[int, int]:
    least = target.min_thinking_budget or LEAST_BUDGET
    return least, max(least, target.max_thinking_budget or least)

"""How each model family writes chat completions: which fields, which numbering, where usage and reasoning stand.

The scenario may ask for any manner; AUTO is the family's own, as recorded from the live service.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from tests.simulator.generate.families import Family, claude_version
from tests.simulator.generate.seals import Kind
from tests.simulator.scenario import Backend, OpaquePlace, ReasoningShape, ToolShape, UsagePlace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.simulator.generate.job import Job
    from tests.simulator.generate.usage import Tokens

_HARMS = ("hate", "self_harm", "sexual", "violence")
_ALL_ZERO_UNTIL = 4.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Manners:
    """Resolved manners of one answer; `envelope` is what every chunk repeats."""

    family: Family
    envelope: Mapping[str, Any]
    object_field: bool
    tools: ToolShape
    reasoning: ReasoningShape
    opaque: OpaquePlace
    usage: UsagePlace
    split_choices: bool

    @property
    def is_openai(self) -> bool:
        return self.family in (Family.GPT_OLD, Family.GPT)


def manners_of(job: Job) -> Manners:
    """The manners of the model's family, changed as the scenario asks."""
    scenario, family = job.scenario, job.family
    tools = {Family.CLAUDE: _claude_tools(job), Family.GEMINI: ToolShape.WHOLE}.get(family, ToolShape.STANDARD)
    usage = {
        Family.GPT_OLD: UsagePlace.ON_FINISH,
        Family.CLAUDE: UsagePlace.ON_FINISH,
        Family.GEMINI: UsagePlace.EVERY_CHUNK,
    }
    reasoning = ReasoningShape.NONE if family in (Family.GPT, Family.GPT_OLD) else ReasoningShape.TEXT
    opaque = OpaquePlace.WITH_CALL if job.script.calls else OpaquePlace.WITH_FINISH
    if family is not Family.GEMINI:
        opaque = OpaquePlace.WITH_REASONING
    has_object = family not in (Family.GPT_OLD, Family.CLAUDE, Family.GEMINI)
    return Manners(
        family=family,
        envelope=_envelope(job),
        object_field=has_object if scenario.object_field is None else scenario.object_field,
        tools=_or(scenario.tools, ToolShape.AUTO, tools),
        reasoning=_or(scenario.reasoning, ReasoningShape.AUTO, reasoning),
        opaque=_or(scenario.opaque, OpaquePlace.AUTO, opaque),
        usage=_or(scenario.usage, UsagePlace.AUTO, usage.get(family, UsagePlace.SEPARATE)),
        split_choices=family is Family.CLAUDE if scenario.split_choices is None else scenario.split_choices,
    )


def call_ids(job: Job) -> list[str]:
    """Ids for the calls of the script, in the family's own format."""
    ids = []
    for number, call in enumerate(job.script.calls):
        match job.family:
            case Family.KIMI:
                head = "functions." if job.model.id.startswith("kimi-k2") else ""
                ids.append(f"{head}{call.tool}:{job.ask.calls_made + number}")
            case Family.CLAUDE:
                infix = "" if job.backend is Backend.ANTHROPIC else f"{job.backend}_"
                ids.append(f"toolu_{infix}01{job.seals.letters(22)}")
            case _:
                ids.append(f"call_{job.seals.letters(24)}")
    return ids


def opaque_blob(job: Job) -> str:
    """A `reasoning_opaque` of this account."""
    return job.seals.seal(Kind.OPAQUE)


def usage_of(tokens: Tokens, family: Family) -> dict[str, Any]:
    """`usage` as the family reports it; cache writes are never shown on chat."""
    usage: dict[str, Any] = {
        "completion_tokens": tokens.output,
        "prompt_tokens": tokens.input,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
        "total_tokens": tokens.total,
    }
    match family:
        case Family.GEMINI:
            usage |= {"completion_tokens": tokens.output - tokens.reasoning, "reasoning_tokens": tokens.reasoning}
        case Family.GPT:
            usage["prompt_tokens_details"]["audio_tokens"] = 0
            usage["completion_tokens_details"] = {
                "accepted_prediction_tokens": 0,
                "audio_tokens": 0,
                "reasoning_tokens": tokens.reasoning,
                "rejected_prediction_tokens": 0,
            }
        case Family.GROK | Family.KIMI | Family.OTHER:
            usage["completion_tokens_details"] = {"reasoning_tokens": tokens.reasoning}
    return usage


def filter_results(family: Family, *, filtered: bool = False) -> dict[str, Any]:
    """`content_filter_results`: severities are words for OpenAI and digits for Claude."""
    severity = "0" if family is Family.CLAUDE else "safe"
    results: dict[str, Any] = {name: {"filtered": False, "severity": severity} for name in _HARMS}
    if filtered:
        results["violence"] = {"filtered": True, "severity": "6" if family is Family.CLAUDE else "high"}
    return {"error": {"code": "", "message": ""}, **results}


def _envelope(job: Job) -> dict[str, Any]:
    envelope: dict[str, Any] = {"created": job.created, "model": job.model_name}
    match job.family:
        case Family.GPT_OLD | Family.GPT:
            envelope |= {
                "id": f"chatcmpl-{job.seals.letters(29)}",
                "system_fingerprint": f"fp_{job.seals.bits(5).hex()}",
            }
        case Family.GEMINI:
            envelope["id"] = job.seals.letters(23)
        case Family.KIMI:
            envelope["id"] = f"chatcmpl-{job.seals.bits(12).hex()}"
        case _:
            envelope["id"] = job.seals.uuid()
    return envelope


def _claude_tools(job: Job) -> ToolShape:
    return ToolShape.FROM_ONE if claude_version(job.model)[0] > _ALL_ZERO_UNTIL else ToolShape.ALL_ZERO


def _or(asked: _T, auto: _T, own: _T) -> _T:
    return own if asked == auto else asked

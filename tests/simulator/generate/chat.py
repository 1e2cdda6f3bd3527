"""POST /chat/completions: answers, streamed and whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulator.generate import sse
from tests.simulator.generate.chat_manners import Manners, call_ids, filter_results, manners_of, opaque_blob, usage_of
from tests.simulator.generate.chat_rules import check_chat
from tests.simulator.generate.chat_stream import REASONS, ChatStream
from tests.simulator.generate.families import Family
from tests.simulator.generate.job import Job, begin
from tests.simulator.generate.message_body import message_body
from tests.simulator.generate.read_chat import read_chat
from tests.simulator.generate.seals import Seals
from tests.simulator.scenario import ReasoningShape, UsagePlace

if TYPE_CHECKING:
    from tests.simulator.accounts import Account
    from tests.simulator.catalogue import Model
    from tests.simulator.wire import Request, Wire
    from tests.simulator.world import World


async def answer(world: World, account: Account, model: Model, request: Request, wire: Wire) -> None:
    """Answer one chat completion. Raises the Refusal of the first rule the body breaks."""
    body = request.json()
    check_chat(body, model, Seals(world.seed, account.login, request.number))
    job = begin(world, account, model, request, wire, read_chat(body))
    if job.ask.stream:
        scenario = job.scenario
        code = scenario.code or "internal_error"
        error = {
            "choices": None,
            "error": {"code": code, "message": scenario.message or "stream error", "type": scenario.error_type or code},
        }
        await job.stream(
            ChatStream(job, manners_of(job)).steps(), error=lambda: sse.data(error), comment=lambda: b": keep-alive\n\n"
        )
    elif job.scenario.native_body:
        await job.respond(message_body(job))
    else:
        await job.respond(_completion(job, manners_of(job)))


def _completion(job: Job, manners: Manners) -> dict[str, Any]:
    """The whole answer; Claude's text and each of its calls stand in choices of their own."""
    billed = job.final()
    completion: dict[str, Any] = {**manners.envelope, "choices": [] if job.scenario.empty else _choices(job, manners)}
    if manners.object_field or manners.is_openai:
        completion["object"] = "chat.completion"
    if manners.is_openai:
        completion["prompt_filter_results"] = [
            {"content_filter_results": filter_results(job.family), "prompt_index": 0}
        ]
    if manners.usage is not UsagePlace.ABSENT:
        completion["usage"] = usage_of(billed.tokens, job.family)
        if job.bills_tokens:
            completion["copilot_usage"] = billed.usage
    return completion


def _choices(job: Job, manners: Manners) -> list[dict[str, Any]]:
    calls = [
        {"function": {"arguments": call.arguments, "name": call.tool}, "id": call_id, "type": "function"}
        for call, call_id in zip(job.script.calls, call_ids(job), strict=True)
    ]
    first = _message(job, manners)
    messages = [first]
    if calls and manners.split_choices and job.script.text:
        messages += [{"content": None, "role": "assistant", "tool_calls": [call]} for call in calls]
    elif calls:
        first["tool_calls"] = calls
    reason = job.scenario.finish or REASONS[job.script.stop]
    choices: list[dict[str, Any]] = []
    for index, message in enumerate(messages):
        choice: dict[str, Any] = {"index": index, "message": message}
        if reason != "missing":
            choice["finish_reason"] = reason
        if manners.is_openai:
            choice["content_filter_results"] = filter_results(job.family, filtered=job.scenario.content_filter)
        choices.append(choice)
    return choices


def _message(job: Job, manners: Manners) -> dict[str, Any]:
    script, shape = job.script, manners.reasoning
    message: dict[str, Any] = {"content": script.text or None, "role": "assistant"}
    if script.reasoning and shape is not ReasoningShape.NONE:
        match shape:
            case ReasoningShape.COT:
                message |= {"cot_id": f"cot_{job.seals.uuid()}", "cot_summary": script.reasoning}
            case ReasoningShape.THINKING:
                message |= {"signature": opaque_blob(job), "thinking": script.reasoning}
            case ReasoningShape.OPAQUE_ONLY | ReasoningShape.REDACTED:
                message["reasoning_opaque"] = opaque_blob(job)
            case _:
                message |= {"reasoning_opaque": opaque_blob(job), "reasoning_text": script.reasoning}
    elif job.family is Family.GEMINI:
        message["reasoning_opaque"] = opaque_blob(job)
    return message

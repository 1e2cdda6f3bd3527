"""Good answers of an upstream, as the simulator of Copilot gives them: every format, every manner of its families.

They are the seeds of the streams' fuzzing: rotating ids, split choices, several places for usage and reasoning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from bridge.dialect import Dialect
from tests.simulator.server import SimulatorServer
from tests.simulator_tests.asking import (
    CHAT_WEATHER,
    MESSAGES_WEATHER,
    RESPONSES_WEATHER,
    Asker,
    sim_words,
)

_SHORT: dict[str, Any] = {"chunks": 4, "size": 60}
_CALLS: dict[str, Any] = {"call": "get_weather", "calls": 2}
_CHAT: tuple[tuple[str, dict[str, Any]], ...] = (
    ("gpt-4o", _SHORT),
    ("gpt-4o", _CALLS | {"split_choices": True}),
    ("gpt-4o", {"annotations": True} | _SHORT),
    ("gpt-5.4", _SHORT | {"keepalive": True}),
    ("claude-sonnet-4.6", _CALLS | {"reasoning": "thinking"}),
    ("claude-sonnet-4.6", _SHORT | {"reasoning": "text", "opaque": "with_finish"}),
    ("gemini-3.8-flash", _CALLS | {"reasoning": "text", "opaque": "with_call", "usage": "every_chunk"}),
    ("gemini-3.8-flash", _SHORT | {"reasoning": "opaque_only", "tools": "all_zero"}),
    ("grok-4.5", _CALLS | {"tools": "from_one", "usage": "separate"}),
    ("grok-4.5", _SHORT | {"reasoning": "cot"}),
    ("kimi-k3", _CALLS | {"tools": "whole"}),
    ("gpt-4o", {"empty": True}),
    ("gpt-4o", {"content_filter": True}),
    ("gpt-4o", _SHORT | {"fault": "error_event:2"}),
)
_MESSAGES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("claude-sonnet-4.6", _SHORT),
    ("claude-sonnet-4.6", _CALLS),
    ("claude-sonnet-5.5", _CALLS | {"reasoning": "thinking"}),
    ("claude-sonnet-5.5", _SHORT | {"reasoning": "redacted"}),
    ("claude-opus-4.8", _SHORT | {"keepalive": True, "annotations": True}),
    ("claude-haiku-4.5", {"empty": True}),
    ("claude-haiku-4.5", _SHORT | {"finish": "max_tokens"}),
    ("claude-haiku-4.5", _SHORT | {"fault": "error_event:2"}),
)
_RESPONSES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("gpt-5.4", _SHORT),
    ("gpt-5.4", _CALLS),
    ("gpt-5.4", _CALLS | {"rotating_ids": False}),
    ("gpt-6-sol", _SHORT | {"reasoning": "text", "annotations": True}),
    ("gpt-6-sol", _CALLS | {"reasoning": "opaque_only", "event_lines": False, "done": True}),
    ("mai-code-1-flash", _SHORT | {"keepalive": True}),
    ("gpt-5.4", {"empty": True}),
    ("gpt-5.4", {"content_filter": True}),
    ("gpt-5.4", _SHORT | {"finish": "incomplete"}),
    ("gpt-5.4", {"fault": "early_failure"}),
    ("gpt-5.4", _SHORT | {"fault": "failed:2"}),
    ("gpt-5.4", _SHORT | {"fault": "error_event:2"}),
)


@dataclass(frozen=True, slots=True)
class Recording:
    """`frames` is the streamed answer, `body` the unstreamed one (empty where there is none)."""

    dialect: Dialect
    name: str
    stream: bytes
    body: bytes = b""


def recorded() -> list[Recording]:
    """Every answer above, streamed and not; asked over loopback of a simulator that ends with this call."""
    with SimulatorServer() as simulator, httpx.Client(trust_env=False, timeout=20) as client:
        asker = Asker(simulator, client)
        found = [_chat(asker, model, wishes) for model, wishes in _CHAT]
        found += [_message(asker, model, wishes) for model, wishes in _MESSAGES]
        found += [_response(asker, model, wishes) for model, wishes in _RESPONSES]
    assert len({recording.dialect for recording in found}) == len(Dialect)
    return found


def _chat(asker: Asker, model: str, wishes: dict[str, Any]) -> Recording:
    tools = {"tools": [CHAT_WEATHER]} if "call" in wishes else {}
    question = "weather" + sim_words(**wishes)
    streamed = asker.chat(question, model, stream=True, stream_options={"include_usage": True}, **tools)
    whole = asker.chat(question, model, **tools)
    return _recording(Dialect.CHAT, model, streamed, whole)


def _message(asker: Asker, model: str, wishes: dict[str, Any]) -> Recording:
    more: dict[str, Any] = {"tools": [MESSAGES_WEATHER]} if "call" in wishes else {}
    if "reasoning" in wishes:
        more["thinking"] = {"type": "adaptive", "display": "summarized"}
    question = "weather" + sim_words(**wishes)
    return _recording(
        Dialect.MESSAGES,
        model,
        asker.message(question, model, stream=True, **more),
        asker.message(question, model, **more),
    )


def _response(asker: Asker, model: str, wishes: dict[str, Any]) -> Recording:
    more: dict[str, Any] = {"tools": [RESPONSES_WEATHER]} if "call" in wishes else {}
    if "reasoning" in wishes:
        more |= {"reasoning": {"effort": "high", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}
    question = "weather" + sim_words(**wishes)
    return _recording(
        Dialect.RESPONSES,
        model,
        asker.respond(question, model, stream=True, store=False, **more),
        asker.respond(question, model, store=False, **more),
    )


def _recording(dialect: Dialect, model: str, streamed: httpx.Response, whole: httpx.Response) -> Recording:
    assert streamed.status_code == 200, f"{dialect} {model}: {streamed.status_code} {streamed.text[:300]}"
    return Recording(dialect, model, streamed.content, whole.content if whole.status_code == 200 else b"")

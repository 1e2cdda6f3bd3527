"""Script: what one answer says, before any format writes it down.

    reasoning?  text?  calls*  and why it stops

The order of decisions: exact wishes of the scenario, structured output, tool calls, quoting tool results, images, and
otherwise a short text about the question. `max_output` and stop sequences cut what was decided.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from tests.simulator.generate import prose
from tests.simulator.generate.arguments import Filler
from tests.simulator.generate.choose import Call, calls_for
from tests.simulator.generate.intent import intent_of
from tests.simulator.generate.usage import count
from tests.simulator.scenario import Fault, ReasoningShape, Scenario

if TYPE_CHECKING:
    from tests.simulator.generate.ask import Ask

_HUGE = 2 * 1024 * 1024
_FLOOD = 20_000
_ARGUMENT_PIECE = 12


class Stop(StrEnum):
    END = "end"
    CALLS = "calls"
    LENGTH = "length"
    SEQUENCE = "sequence"
    FILTER = "filter"


@dataclass(frozen=True, slots=True)
class Script:
    """One answer. `pieces` are the content chunks of `text`; `searches` are web searches made on the way."""

    reasoning: str = ""
    text: str = ""
    pieces: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    stop: Stop = Stop.END
    sequence: str | None = None
    searches: tuple[str, ...] = ()

    @property
    def reasoning_tokens(self) -> int:
        return count(self.reasoning)

    @property
    def output_tokens(self) -> int:
        """Everything generated, reasoning included."""
        return self.reasoning_tokens + count(self.text) + sum(count(call.tool + call.arguments) for call in self.calls)


def script_for(ask: Ask, scenario: Scenario, *, thinks: bool, most: int | None = None) -> Script:
    """What is answered to `ask`; `thinks` is whether this model reasons here, `most` a limit on the whole output."""
    reasoning = ""
    if (thinks and scenario.reasoning is not ReasoningShape.NONE) or scenario.reasoning_text:
        reasoning = scenario.reasoning_text or prose.thoughts(ask.question)
    calls = () if scenario.empty else _calls(ask, scenario)
    text = "" if scenario.empty else _text(ask, scenario, calls)
    searches = _searches(ask) if not calls else ()
    if scenario.leaked_call and calls:
        text, calls = text + _leaked(calls[0]), ()
    if scenario.content_filter:
        text, calls = text[: len(text) // 2], ()
    stop = Stop.FILTER if scenario.content_filter else Stop.CALLS if calls else Stop.END
    script = Script(reasoning, text, (), calls, stop, None, searches)
    script = _stopped(script, ask.stops)
    script = _limited(script, _least(ask.max_output, most))
    if scenario.fault is Fault.WHITESPACE_ARGS and ask.tools:
        flood = "\n \t " * min(ask.max_output or _FLOOD, _FLOOD)
        script = replace(script, calls=(Call(ask.tools[0].name, '{"' + flood),), stop=Stop.LENGTH)
    return replace(script, pieces=tuple(_pieces(script.text, scenario)))


def argument_pieces(arguments: str) -> list[str]:
    """The arguments of a call cut as a stream cuts them."""
    step = _ARGUMENT_PIECE if len(arguments) < 4000 else 4
    return [arguments[at : at + step] for at in range(0, len(arguments), step)]


def _calls(ask: Ask, scenario: Scenario) -> tuple[Call, ...]:
    if scenario.text is not None and scenario.call is None and not scenario.calls:
        return ()
    return calls_for(ask, scenario, prose.topic_of(ask.question))


def _text(ask: Ask, scenario: Scenario, calls: tuple[Call, ...]) -> str:
    if scenario.text is not None:
        text = scenario.text
    elif calls:
        text = prose.before_call(ask.question, calls[0].tool)
    elif ask.schema is not None or ask.json:
        text = _structured(ask)
    elif ask.results:
        text = prose.about_results(ask.question, ask.results)
    else:
        text = prose.about(ask.question)
        if ask.images:
            text = f"{prose.about_images(ask.images, chinese=prose.is_chinese(ask.question))} {text}"
    if scenario.fenced_json:
        text = f"```json\n{text}\n```"
    wanted = scenario.size or (_HUGE if scenario.fault is Fault.HUGE_FRAME else 0)
    if wanted and len(text) < wanted:
        text = (f"{text} " * (wanted // (len(text) + 1) + 1))[:wanted]
    return text


def _structured(ask: Ask) -> str:
    topic = prose.topic_of(ask.question)
    if ask.schema is None:
        return msgspec.json.encode({"answer": prose.about(ask.question), "topic": topic}).decode()
    filled = Filler(intent_of(ask.question), topic, ask.schema).fill(ask.schema)
    return msgspec.json.encode(filled).decode()


def _searches(ask: Ask) -> tuple[str, ...]:
    offered = any(tool.kind.startswith("web_search") for tool in ask.tools)
    forced = ask.choice in ("web_search", "web_search_preview", "required")
    wanted = forced or any(word in ask.question.lower() for word in ("search", "web", "news", "latest", "搜索", "最新"))
    return (prose.topic_of(ask.question),) if offered and wanted and not ask.results else ()


def _leaked(call: Call) -> str:
    try:
        given = msgspec.json.decode(call.arguments)
    except msgspec.DecodeError:
        given = {"input": call.arguments}
    shown = {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode() for name, value in given.items()
    }
    lines = "\n".join(f'<parameter name="{name}">{value}</parameter>' for name, value in shown.items())
    return f'\n\ncall\n<function_calls>\n<invoke name="{call.tool}">\n{lines}\n</invoke>\n</function_calls>'


def _stopped(script: Script, stops: tuple[str, ...]) -> Script:
    found = [(script.text.find(stop), stop) for stop in stops if stop and stop in script.text]
    if not found:
        return script
    at, stop = min(found)
    return replace(script, text=script.text[:at], calls=(), stop=Stop.SEQUENCE, sequence=stop)


def _limited(script: Script, limit: int | None) -> Script:
    """The script within `limit` tokens: reasoning gets at most half of them, then text, then calls."""
    if limit is None or script.output_tokens <= limit:
        return script
    reasoning = _cut(script.reasoning, limit // 2)
    left = limit - count(reasoning)
    text = _cut(script.text, left)
    left -= count(text)
    calls: list[Call] = []
    for call in script.calls:
        need = count(call.tool + call.arguments)
        if left <= count(call.tool):
            break
        calls.append(call if need <= left else replace(call, arguments=_cut(call.arguments, left - count(call.tool))))
        left -= need
    return replace(script, reasoning=reasoning, text=text, calls=tuple(calls), stop=Stop.LENGTH)


def _cut(text: str, tokens: int) -> str:
    return text.encode()[: max(0, tokens) * 4].decode(errors="ignore")


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)


def _pieces(text: str, scenario: Scenario) -> list[str]:
    if scenario.fault is Fault.HUGE_FRAME:
        return [text]
    if scenario.chunks > 0:
        size = -(-len(text) // scenario.chunks) or 1
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        return pieces + [""] * (scenario.chunks - len(pieces))
    return prose.pieces_of(text)

"""Chat Completions as a client gets it: a state machine over the bytes of a stream, and a check of a whole answer.

    stream := first-delta delta* finish usage? [DONE]

Every chunk has id, object, created, model and one choice of index 0; the first delta and no other has the role; calls
are numbered from 0 without gaps and named in their first delta only; one chunk has the finish reason, and after it
comes nothing but the usage (`choices: []`, when it was asked for) and `[DONE]`. Comments may stand anywhere.
Shape: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.dialects.answer import Answer, Called, Counts, Failure
from tests.dialects.failures import openai_error
from tests.dialects.frames import check_arguments, need, need_text, read_frames, read_object
from tests.dialects.sdk_types import check_chat, check_chunk

_FINISHES = frozenset({"stop", "length", "tool_calls", "content_filter"})
_TEXTS = ("content", "refusal", "reasoning_content", "reasoning_text")


def validated(
    body: bytes, *, include_usage: bool = False, model: str | None = None, json_arguments: bool = True
) -> Answer:
    """Add up a whole stream. `model` is the name the request asked for.

    With `json_arguments` the arguments of functions must be JSON objects, unless the answer was cut short.
    """
    machine = _Machine(include_usage=include_usage, model=model, json_arguments=json_arguments)
    ended = False
    for frame in read_frames(body):
        assert not ended, "something comes after [DONE]"
        assert frame.event == "", f"Chat has no event lines: {frame.event!r}"
        if frame.data is None:
            machine.answer.comments += 1
        elif frame.data == "[DONE]":
            ended = True
        else:
            machine.take(read_object(frame.data))
    assert ended, "the stream does not end with [DONE]"
    return machine.finished()


def validated_failure(body: bytes, *, model: str | None = None) -> Failure:
    """The error that a stream ends with; what stands before it must be a stream that is whole up to there."""
    frames = [frame for frame in read_frames(body) if frame.data is not None]
    assert frames, "the stream says nothing"
    assert all(frame.event == "" for frame in frames), "Chat has no event lines"
    assert all(frame.data != "[DONE]" for frame in frames), "[DONE] in a stream that broke off"
    machine = _Machine(include_usage=True, model=model, json_arguments=False)
    for frame in frames[:-1]:
        machine.take(read_object(frame.data or ""))
    failure = openai_error(read_object(frames[-1].data or ""))
    return Failure(failure.message, failure.type, failure.code, failure.param, events=tuple(machine.answer.events))


def whole_chat(body: bytes, *, model: str | None = None, json_arguments: bool = True) -> Answer:
    """An unstreamed answer, checked and taken apart."""
    whole = read_object(body)
    check_chat(whole)
    assert whole.get("object") == "chat.completion", whole.get("object")
    answer = Answer(
        id=need_text(whole, "id", "answer"), model=need_text(whole, "model", "answer"), whole=whole, events=[whole]
    )
    assert model is None or answer.model == model, f"the model {answer.model!r} is not {model!r} as asked for"
    assert need(whole, "created", int, "answer") > 0, "created is not a time"
    choices = need(whole, "choices", list, "answer")
    assert len(choices) == 1, f"{len(choices)} choices"
    assert choices[0].get("index") == 0, "the choice is not number 0"
    _take_message(answer, need(choices[0], "message", dict, "choice"))
    answer.stop = need_text(choices[0], "finish_reason", "choice")
    answer.tokens = _tokens(choices[0].get("logprobs"))
    _check_stop(answer, json_arguments=json_arguments)
    answer.usage = need(whole, "usage", dict, "answer")
    answer.counts = counts_of(answer.usage)
    return answer


def counts_of(usage: dict[str, Any]) -> Counts:
    """What `usage` tells; asserts that it adds up."""
    prompt = need(usage, "prompt_tokens", int, "usage")
    output = need(usage, "completion_tokens", int, "usage")
    assert min(prompt, output) >= 0, f"a negative count: {usage}"
    assert need(usage, "total_tokens", int, "usage") == prompt + output, f"the total does not add up: {usage}"
    into = usage.get("prompt_tokens_details") or {}
    out = usage.get("completion_tokens_details") or {}
    cached, reasoning = into.get("cached_tokens"), out.get("reasoning_tokens")
    written = into.get("cache_write_tokens")
    assert (cached or 0) + (written or 0) <= prompt, f"more cached than there was: {usage}"
    assert (reasoning or 0) <= output, f"more reasoning than output: {usage}"
    return Counts(prompt, output, cached, written, reasoning)


@dataclass(slots=True)
class _OpenCall:
    id: str
    name: str
    kind: str
    arguments: str


@dataclass(slots=True)
class _Machine:
    include_usage: bool
    model: str | None
    json_arguments: bool
    answer: Answer = field(default_factory=Answer)
    _texts: dict[str, str] = field(default_factory=dict)
    _calls: list[_OpenCall] = field(default_factory=list)

    def take(self, chunk: dict[str, Any]) -> None:
        assert "error" not in chunk, f"an error in a stream that should be whole: {chunk['error']}"
        self._head(chunk)
        self.answer.events.append(chunk)
        choices = need(chunk, "choices", list, "chunk")
        if not choices:
            self._usage(chunk)
            return
        assert not self.answer.usage, "a choice behind the usage"
        assert chunk.get("usage") is None, "usage on a chunk with a choice"
        assert len(choices) == 1, f"{len(choices)} choices in one chunk"
        self._choice(choices[0])
        check_chunk(chunk)

    def finished(self) -> Answer:
        answer = self.answer
        assert answer.events, "the stream says nothing"
        assert answer.stop, "no chunk says how the answer ended"
        assert not self.include_usage or answer.usage, "no usage, though it was asked for"
        answer.calls = [Called(call.id, call.name, call.arguments, call.kind) for call in self._calls]
        answer.texts = [text for name, text in self._texts.items() if name == "content"]
        answer.refusals = [text for name, text in self._texts.items() if name == "refusal"]
        thoughts = self._texts.get("reasoning_content")
        assert thoughts == self._texts.get("reasoning_text", thoughts), "the two names of reasoning differ"
        answer.reasonings = [thoughts] if thoughts is not None else []
        _check_stop(answer, json_arguments=self.json_arguments)
        return answer

    def _head(self, chunk: dict[str, Any]) -> None:
        assert chunk.get("object") == "chat.completion.chunk", f"the object is {chunk.get('object')!r}"
        assert need(chunk, "created", int, "chunk") > 0, "created is not a time"
        answer_id, model = need_text(chunk, "id", "chunk"), need_text(chunk, "model", "chunk")
        if not self.answer.events:
            self.answer.id, self.answer.model = answer_id, model
            assert self.model in (None, model), f"the model {model!r} is not {self.model!r} as asked for"
        assert answer_id == self.answer.id, f"the id changes from {self.answer.id!r} to {answer_id!r}"
        assert model == self.answer.model, f"the model changes from {self.answer.model!r} to {model!r}"

    def _usage(self, chunk: dict[str, Any]) -> None:
        assert self.include_usage, "a chunk without a choice that nobody asked for"
        assert self.answer.stop, "usage before the finish reason"
        assert not self.answer.usage, "two usage chunks"
        self.answer.usage = need(chunk, "usage", dict, "chunk")
        self.answer.counts = counts_of(self.answer.usage)

    def _choice(self, choice: dict[str, Any]) -> None:
        assert not self.answer.stop, "a choice behind the finish reason"
        assert need(choice, "index", int, "choice") == 0, f"a choice of index {choice['index']}"
        assert "finish_reason" in choice, "a choice without finish_reason"
        delta = need(choice, "delta", dict, "choice")
        is_first = len(self.answer.events) == 1
        assert ("role" in delta) == is_first, "the role stands in the first delta and in no other"
        assert delta.get("role", "assistant") == "assistant", f"the role {delta.get('role')!r}"
        for name in _TEXTS:
            self._text(name, delta)
        self._reasoning_seal(delta)
        for call in need(delta, "tool_calls", list, "delta") if "tool_calls" in delta else []:
            self._call(call)
        self.answer.citations += _cited(delta)
        self.answer.tokens += _tokens(choice.get("logprobs"))
        if choice["finish_reason"] is not None:
            assert choice["finish_reason"] in _FINISHES, f"the finish reason {choice['finish_reason']!r}"
            self.answer.stop = choice["finish_reason"]

    def _text(self, name: str, delta: dict[str, Any]) -> None:
        if delta.get(name) is not None:
            self._texts[name] = self._texts.get(name, "") + need(delta, name, str, "delta")

    def _reasoning_seal(self, delta: dict[str, Any]) -> None:
        if delta.get("reasoning_opaque") is not None:
            self.answer.seals.append(need_text(delta, "reasoning_opaque", "delta"))

    def _call(self, call: dict[str, Any]) -> None:
        index = need(call, "index", int, "tool call")
        assert 0 <= index <= len(self._calls), f"call {index} after {len(self._calls)} calls: a gap in the numbers"
        if index == len(self._calls):
            self._calls.append(_opened(call))
            return
        for name in ("id", "type"):
            assert name not in call, f"{name!r} of a call again, behind its first delta"
        opened = self._calls[index]
        body = need(call, opened.kind, dict, "tool call")
        assert "name" not in body, "the name of a call again, behind its first delta"
        opened.arguments += need(body, _ARGUMENTS[opened.kind], str, opened.kind)


_ARGUMENTS = {"function": "arguments", "custom": "input"}


def _opened(call: dict[str, Any]) -> _OpenCall:
    kind = need_text(call, "type", "tool call")
    assert kind in _ARGUMENTS, f"a tool call of the type {kind!r}"
    body = need(call, kind, dict, "tool call")
    arguments = need(body, _ARGUMENTS[kind], str, kind)
    return _OpenCall(need_text(call, "id", "tool call"), need_text(body, "name", kind), kind, arguments)


def _take_message(answer: Answer, message: dict[str, Any]) -> None:
    assert message.get("role") == "assistant", f"the role {message.get('role')!r}"
    content = need(message, "content", (str, type(None)), "message")
    answer.texts = [content] if content else []
    answer.refusals = [message["refusal"]] if message.get("refusal") else []
    thoughts = message.get("reasoning_content")
    assert message.get("reasoning_text", thoughts) == thoughts, "the two names of reasoning differ"
    answer.reasonings = [thoughts] if thoughts else []
    answer.seals = [message["reasoning_opaque"]] if message.get("reasoning_opaque") else []
    answer.citations = _cited(message)
    if "tool_calls" in message:
        calls = need(message, "tool_calls", list, "message")
        assert calls, "an empty list of calls; it should be absent"
        opened = [_opened(call) for call in calls]
        answer.calls = [Called(call.id, call.name, call.arguments, call.kind) for call in opened]
        assert all(call.arguments for call in answer.calls if call.kind == "function"), "empty arguments, not '{}'"
    else:
        said = [name for name in (*_TEXTS, "reasoning_opaque") if message.get(name) is not None]
        assert said, "content is null for nothing"


def _check_stop(answer: Answer, *, json_arguments: bool) -> None:
    assert answer.stop in _FINISHES, f"the finish reason {answer.stop!r}"
    ids = [call.id for call in answer.calls]
    assert len(set(ids)) == len(ids), f"two calls with one id: {ids}"
    if answer.stop == "tool_calls":
        assert answer.calls, "tool_calls without calls"
    elif answer.stop == "stop":
        assert not answer.calls, "calls, but the answer ends with 'stop'"
    if json_arguments and answer.stop == "tool_calls":
        for call in answer.calls:
            if call.kind == "function":
                check_arguments(call.arguments, call.name)


def _cited(delta: dict[str, Any]) -> list[str]:
    cited: list[str] = []
    for annotation in delta.get("annotations") or []:
        assert annotation.get("type") == "url_citation", f"an annotation of the type {annotation.get('type')!r}"
        cited.append(need_text(need(annotation, "url_citation", dict, "annotation"), "url", "url_citation"))
    return cited


def _tokens(logprobs: dict[str, Any] | None) -> list[str]:
    listed = (logprobs or {}).get("content") or []
    for entry in listed:
        need(entry, "logprob", (int, float), "logprob")
        need(entry, "top_logprobs", list, "logprob")
        assert "bytes" in entry, "a log probability without bytes"
    return [need(entry, "token", str, "logprob") for entry in listed]

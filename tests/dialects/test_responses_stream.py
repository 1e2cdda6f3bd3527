"""The checker of Responses streams: a good stream adds up, and each of its rules has a stream that breaks it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.dialects.answer import Called, Counts
from tests.dialects.responses_stream import validated, validated_failure, whole_response
from tests.dialects.written import (
    RESPONSES_USAGE,
    Json,
    item_events,
    named_bytes,
    numbered,
    response,
    responses_items,
    responses_stream,
)


def test_a_good_stream_adds_up() -> None:
    answer = validated(b": hello\n\n" + named_bytes(responses_stream()), model="gpt-9")
    assert (answer.text, answer.reasoning, answer.seals) == ("Hello", "Hm.", ["gAAAA"])
    assert answer.calls == [
        Called("call_a", "read", '{"a":1}'),
        Called("call_b", "patch", "*** Begin", "custom"),
    ]
    assert answer.searches == [("a", ("https://a.example",))]
    assert answer.citations == ["https://a.example"]
    assert answer.counts == Counts(9, 4, 3, None, 1)
    assert (answer.id, answer.stop, answer.comments) == ("resp_1", "completed", 1)


def test_what_a_stream_ends_with_is_a_good_whole_answer() -> None:
    streamed = validated(named_bytes(responses_stream()))
    whole = whole_response(json.dumps(streamed.whole).encode(), model="gpt-9")
    assert (whole.texts, whole.calls, whole.counts) == (streamed.texts, streamed.calls, streamed.counts)


def test_items_may_overlap() -> None:
    events = responses_stream()
    added = next(event for event in events if event.get("output_index") == 4)
    events.remove(added)
    events.insert(events.index(next(event for event in events if event.get("output_index") == 3)) + 1, added)
    assert len(validated(named_bytes(numbered(events))).calls) == 2


def test_keepalive_events_are_counted_in_the_sequence() -> None:
    events = responses_stream()
    events.insert(2, {"type": "keepalive"})
    assert validated(named_bytes(numbered(events))).pings == 1


def _event(kind: str, **members: Any) -> Callable[[list[Json]], Any]:
    """Change members of the first event of this type; a member named part__text lies one deeper."""

    def spoil(events: list[Json]) -> None:
        event = next(event for event in events if event["type"] == f"response.{kind}")
        for name, value in members.items():
            *way, last = name.split("__")
            place = event
            for step in way:
                place = place[step]
            place[last] = value

    return spoil


def _item(kind: str, event_kind: str, **members: Any) -> Callable[[list[Json]], Any]:
    def spoil(events: list[Json]) -> None:
        for event in events:
            if event["type"] == f"response.output_item.{event_kind}" and event["item"]["type"] == kind:
                event["item"].update(members)

    return spoil


def _drop(kind: str, *, last: bool = False) -> Callable[[list[Json]], Any]:
    def spoil(events: list[Json]) -> None:
        found = [event for event in events if event["type"] == f"response.{kind}"]
        events.remove(found[-1 if last else 0])

    return spoil


def _again(kind: str) -> Callable[[list[Json]], Any]:
    def spoil(events: list[Json]) -> None:
        place = next(number for number, event in enumerate(events) if event["type"] == f"response.{kind}")
        events.insert(place + 1, {**events[place]})

    return spoil


def _terminal(**members: Any) -> Callable[[list[Json]], Any]:
    return lambda events: events[-1]["response"].update(members)


def _all_unfinished(events: list[Json]) -> None:
    _item("message", "done", status="in_progress")(events)
    events[-1]["response"]["output"][2]["status"] = "in_progress"


OTHER_PART = {"type": "refusal", "refusal": ""}
THOUGHT_PART = {"type": "reasoning_text", "text": ""}
EMPTY_PART: Json = {"type": "output_text", "text": "", "annotations": []}
NO_COMPACTION = {"type": "compaction", "id": "cmp_1", "encrypted_content": ""}
BREAKS: list[tuple[str, Callable[[list[Json]], Any]]] = [
    ("response.in_progress as event 0", _drop("created")),
    ("response.created as event 1", _again("created")),
    ("not what the SDK's types say", lambda events: events[0]["response"].pop("created_at")),
    ("not what the SDK's types say", _event("created", response__model=5)),
    ("output before the first item", _event("created", response__output=[responses_items()[0][2]])),
    ("the status at first", _event("created", response__status="completed")),
    ("usage at the start", _event("created", response__usage=RESPONSES_USAGE)),
    ("the response's id changes", _event("in_progress", response__id="resp_2")),
    ("the response's id changes", _terminal(id="resp_2")),
    ("the response's model changes", _terminal(model="other")),
    ("the response's created_at changes", _terminal(created_at=5)),
    ("in_progress behind the first item", lambda events: events.insert(3, events.pop(1))),
    ("item 1 after 0 items", _event("output_item.added", output_index=1)),
    ("does not begin with 'rs_'", _event("output_item.added", item__id="x_1")),
    ("longer than OpenAI takes back", _item("message", "added", id="msg_" + "x" * 61)),
    ("two items with one id", _item("custom_tool_call", "added", type="function_call", id="fc_1", arguments="")),
    (
        "starts with content",
        _item("message", "added", content=[EMPTY_PART]),
    ),
    ("starts with a summary", _item("reasoning", "added", summary=[{"type": "summary_text", "text": "x"}])),
    ("starts with its arguments", _item("function_call", "added", arguments="{}")),
    ("starts with the status", _item("message", "added", status="completed")),
    ("names the item", _event("output_text.delta", item_id="msg_2")),
    ("not what the SDK's types say", lambda events: events[3].pop("item_id")),
    ("for item 9, which is not open", _event("output_text.delta", output_index=9)),
    ("without an open part", _drop("content_part.added")),
    ("a part begins while another is open", _again("content_part.added")),
    ("part 1 after 0 parts", _event("content_part.added", content_index=1)),
    ("a part that begins with text", _event("content_part.added", part__text="x")),
    (
        "a reasoning_text part in a message item",
        _event("content_part.added", part=THOUGHT_PART),
    ),
    ("in a part of the type 'refusal'", _event("content_part.added", part=OTHER_PART)),
    ("for part 1, not 0", _event("output_text.delta", content_index=1)),
    ("for part 1, not 0", _event("reasoning_summary_text.delta", summary_index=1)),
    ("a gap in the numbers of the annotations", _event("output_text.annotation.added", annotation_index=1)),
    ("output_text.done says", _event("output_text.done", text="Hell")),
    ("reasoning_summary_text.done says", _event("reasoning_summary_text.done", text="x")),
    ("behind the text's done", _again("output_text.done")),
    ("before the text was done", _drop("output_text.done")),
    ("the part's text is not", _event("content_part.done", part__text="x")),
    ("the part's annotations are not", _event("content_part.done", part__annotations=[])),
    ("is done with an open part", _drop("content_part.done")),
    ("content of the message item 2 is not", _item("message", "done", content=[])),
    ("summary of the reasoning item 0 is not", _item("reasoning", "done", summary=[])),
    ("the id of the message item 2 changes", _item("message", "done", id="msg_2")),
    (
        "the type of the custom_tool_call item 4 changes",
        _item("custom_tool_call", "done", type="function_call", arguments=""),
    ),
    ("function_call_arguments.done says", _event("function_call_arguments.done", arguments="{}")),
    ("behind the arguments' done", _again("function_call_arguments.done")),
    ("without its arguments.done", _drop("function_call_arguments.done")),
    ("without its input.done", _drop("custom_tool_call_input.done")),
    ("arguments of the function_call item 3 are not", _item("function_call", "done", arguments="{}")),
    ("call_id of the function_call item 3 changes", _item("function_call", "done", call_id="call_x")),
    ("namespace of the function_call item 3 changes", _item("function_call", "done", namespace="x")),
    ("out of order", _again("web_search_call.completed")),
    ("before it was completed", _drop("web_search_call.completed")),
    ("in a message item", lambda events: events.insert(13, {**events[9], "output_index": 2, "item_id": "msg_1"})),
    ("item 0 is done and was not open", lambda events: events.insert(9, {**events[7]})),
    (
        "the status 'in_progress'",
        _all_unfinished,
    ),
    ("does not begin with 'msg_'", _item("message", "added", id="rs_9")),
    ("items .4. are open at the end", _drop("output_item.done", last=True)),
    ("does not repeat the items", _terminal(output=[])),
    ("usage is None", _terminal(usage=None)),
    ("does not add up", _terminal(usage={**RESPONSES_USAGE, "total_tokens": 1})),
    ("more cached than", _terminal(usage={**RESPONSES_USAGE, "input_tokens_details": {"cached_tokens": 10}})),
    ("more reasoning than", _terminal(usage={**RESPONSES_USAGE, "output_tokens_details": {"reasoning_tokens": 5}})),
    ("with the status 'in_progress'", _terminal(status="in_progress")),
    ("but with incomplete_details", _terminal(incomplete_details={"reason": "max_output_tokens"})),
    ("an error in a response", _terminal(error={"code": "x", "message": "x"})),
    ("ends without response.completed", lambda events: events.pop()),
    ("something comes after", lambda events: events.append({"type": "keepalive"})),
    ("an event that the SDK does not know", lambda events: events.insert(2, {"type": "response.done"})),
    ("members of Copilot's own", lambda events: events[-1].update(copilot_usage={})),
    ("members of Copilot's own", _terminal(copilot_usage={})),
    ("the response failed", lambda events: events.__setitem__(-1, _failed())),
]


def _failed(**members: Any) -> Json:
    error = {"code": "server_error", "message": "Gone."}
    return {"type": "response.failed", "response": {**response("failed", []), "error": error, **members}}


@pytest.mark.parametrize(("sentence", "spoil"), BREAKS)
def test_every_rule_has_a_stream_that_breaks_it(sentence: str, spoil: Callable[[list[Json]], Any]) -> None:
    events = json.loads(json.dumps(responses_stream()))
    spoil(events)
    with pytest.raises(AssertionError, match=sentence):
        validated(named_bytes(numbered(events)))


@pytest.mark.parametrize(
    ("sentence", "body"),
    [
        ("a gap in the numbers", named_bytes([responses_stream()[0], *responses_stream()[2:]])),
        ("no 'sequence_number'", named_bytes([{"type": "response.created", "response": response("in_progress", [])}])),
        ("the event line says ''", named_bytes(responses_stream()).replace(b"event: response.created\n", b"")),
        (
            "the event line says 'x'",
            named_bytes(responses_stream()).replace(b"event: response.created", b"event: x"),
        ),
        ("something comes after", named_bytes(responses_stream()) + b"data: [DONE]\n\n"),
        ("the stream says nothing", b": nothing\n\n"),
    ],
)
def test_every_rule_of_the_wire_has_a_stream_that_breaks_it(sentence: str, body: bytes) -> None:
    with pytest.raises(AssertionError, match=sentence):
        validated(body)


def _cut_short(reason: str) -> list[Json]:
    """A call in the middle of its arguments, as the output limit leaves it."""
    start, _, _ = responses_items()[3]
    text = '{"a"'
    growth = [
        {"type": "function_call_arguments.delta", "delta": text},
        {"type": "function_call_arguments.done", "arguments": text},
    ]
    done = {**start, "arguments": text, "status": "incomplete"}
    details = {"incomplete_details": {"reason": reason}, "usage": RESPONSES_USAGE}
    return numbered(
        [
            {"type": "response.created", "response": response("in_progress", [])},
            *item_events(0, start, growth, done),
            {"type": "response.incomplete", "response": response("incomplete", [done], **details)},
        ]
    )


def test_an_answer_that_was_cut_short_is_incomplete_for_a_reason() -> None:
    answer = validated(named_bytes(_cut_short("max_output_tokens")))
    assert (answer.stop, answer.calls[0].arguments) == ("max_output_tokens", '{"a"')
    with pytest.raises(AssertionError, match="not what the SDK's types say"):
        validated(named_bytes(_cut_short("boredom")))


def test_arguments_of_a_whole_answer_are_json() -> None:
    events = _cut_short("max_output_tokens")
    done = {**events[-2]["item"], "status": "completed"}
    events[-2]["item"] = done
    events[-1] = {"type": "response.completed", "response": response("completed", [done], usage=RESPONSES_USAGE)}
    with pytest.raises(AssertionError, match="not JSON"):
        validated(named_bytes(numbered(events)))


@pytest.mark.parametrize("count", [1, 2, 6])
def test_a_stream_that_broke_off_ends_with_response_failed(count: int) -> None:
    failure = validated_failure(named_bytes(numbered([*responses_stream()[:count], _failed()])))
    assert (failure.message, failure.code, len(failure.events)) == ("Gone.", "server_error", count)


@pytest.mark.parametrize(
    ("sentence", "events"),
    [
        ("ends with response.completed", responses_stream()),
        ("without response.failed", responses_stream()[:4]),
        ("response.failed as event 0", [_failed()]),
        ("error is None", [responses_stream()[0], _failed(error=None)]),
        ("no 'code'", [responses_stream()[0], _failed(error={"message": "x"})]),
        ("the response's id changes", [responses_stream()[0], _failed(id="resp_2")]),
        ("with the status", [responses_stream()[0], _failed(status="completed")]),
    ],
)
def test_every_rule_of_a_broken_stream_has_one_that_breaks_it(sentence: str, events: list[Json]) -> None:
    with pytest.raises(AssertionError, match=sentence):
        validated_failure(named_bytes(numbered(events)))


WHOLE_BREAKS: list[tuple[str, Callable[[Json], Any]]] = [
    ("not what the SDK's types say", lambda whole: whole.pop("id")),
    ("not what the SDK's types say", lambda whole: whole["output"][0].pop("id")),
    ("the response has no error", lambda whole: whole.pop("error")),
    ("the response has no incomplete_details", lambda whole: whole.pop("incomplete_details")),
    ("usage is None", lambda whole: whole.update(usage=None)),
    ("two items with one id", lambda whole: whole["output"].append(whole["output"][0])),
    ("two calls with one id", lambda whole: whole["output"][4].update(call_id="call_a")),
    ("the status 'failed'", lambda whole: whole.update(status="failed")),
    ("ends with the status 'incomplete'", lambda whole: whole["output"][2].update(status="incomplete")),
    ("from end to start", lambda whole: whole["output"][2]["content"][0]["annotations"][0].update(start_index=9)),
    ("call_id is empty", lambda whole: whole["output"][3].update(call_id="")),
    ("name is empty", lambda whole: whole["output"][4].update(name="")),
    ("not JSON", lambda whole: whole["output"][3].update(arguments="{")),
    (
        "encrypted_content is empty",
        lambda whole: whole["output"].append(NO_COMPACTION),
    ),
]


@pytest.mark.parametrize(("sentence", "spoil"), WHOLE_BREAKS)
def test_every_rule_of_a_whole_answer_has_one_that_breaks_it(sentence: str, spoil: Callable[[Json], Any]) -> None:
    whole = json.loads(json.dumps(responses_stream()[-1]["response"]))
    spoil(whole)
    with pytest.raises(AssertionError, match=sentence):
        whole_response(json.dumps(whole).encode())

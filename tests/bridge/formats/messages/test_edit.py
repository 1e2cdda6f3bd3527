"""Messages: a verbatim request is edited where the upstream demands it, and nowhere else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.errors import BadRequest
from bridge.formats.messages.verbatim import edit_request, open_request
from bridge.target import Target
from tests.bridge.formats.messages.upstream import PNG, body_of, redacted, target_of, thinking

TARGET = Target("claude-x", max_output_tokens=8000, adaptive_thinking=True, efforts=("low", "medium", "high"))
USER = {"role": "user", "content": "a"}
MARK = {"type": "ephemeral"}
TOOL = {"name": "f", "description": "d", "input_schema": {"type": "object"}}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def edited(target: Target = TARGET, **members: Any) -> dict[str, Any]:
    return edited_and_dropped(target, **members)[0]


def edited_and_dropped(target: Target = TARGET, **members: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    written = edit_request(open_request(body_of(**members)), target)
    body: dict[str, Any] = json.loads(written.body)
    return body, written.dropped


def contents(*messages: Any, target: Target = TARGET) -> list[Any]:
    return [message["content"] for message in edited(target, messages=list(messages))["messages"]]


def blocks(*content: Any, role: str = "user") -> Any:
    """What becomes of the content of one message."""
    given = {"role": role, "content": list(content)}
    around = [given] if role == "user" else [USER, given, USER]
    return contents(*around)[0 if role == "user" else 1]


def test_the_model_is_named_and_a_stream_is_asked_for() -> None:
    body = edited(stream=False)
    assert (body["model"], body["stream"]) == ("claude-x", True)


def test_messages_and_tools_that_may_stand_are_the_bytes_they_were() -> None:
    user = '{"role": "user",  "content": [{"type":"text","text":"\\u00fc 1.50"}]}'
    assistant = '{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"n":1.50,  "m":1e2}}]}'
    result = '{"content":[{"tool_use_id":"t","type":"tool_result","content":"x" }],"role":"user"}'
    tools = '[ {"name":"f","input_schema":{"type":"object","x":[1.0]} } ]'
    body = f'{{"model":"m","max_tokens":5,"messages":[{user},{assistant},{result}],"tools":{tools}}}'
    written = edit_request(open_request(body.encode()), TARGET).body.decode()
    assert f'"messages":[{user},{assistant},{result}]' in written
    assert f'"tools":{tools}' in written


def test_neighbours_of_an_edited_message_stay_the_bytes_they_were() -> None:
    kept = '{"role":"user",  "content":"x"}'
    body = f'{{"model":"m","max_tokens":5,"messages":[{kept},{{"role":"assistant","content":""}},{kept}]}}'
    written = edit_request(open_request(body.encode()), TARGET).body.decode()
    assert f'"messages":[{kept},{kept}]' in written


def test_only_known_members_go_upstream_and_wishes_are_named() -> None:
    body, dropped = edited_and_dropped(
        container="c", mcp_servers=[{"a": 1}], speed="fast", novelty=1, service_tier="auto", fallbacks=[], betas=["x"]
    )
    assert body.keys() == {"model", "max_tokens", "messages", "stream"}
    assert set(dropped) == {"container", "mcp_servers", "speed", "novelty"}


def test_a_field_the_model_was_found_to_refuse_is_left_out() -> None:
    target = Target("m", max_thinking_budget=9000, refused=frozenset({"thinking", "top_k", "max_tokens"}))
    body, dropped = edited_and_dropped(target, thinking={"type": "adaptive"}, top_k=3)
    assert body.keys() == {"model", "max_tokens", "messages", "stream"}
    assert dropped == ("thinking", "top_k")


def test_the_billing_header_is_cut_out_of_the_system_prompt() -> None:
    header = "x-anthropic-billing-header: cc_version=2.1; cch=abc;"
    assert edited(system=[text(header), text("s")])["system"] == [text("s")]
    assert edited(system=f"{header}\n\ns")["system"] == [text("s")]
    assert "system" not in edited(system=[text(header)])


def test_a_system_prompt_of_other_blocks_is_refused() -> None:
    with pytest.raises(BadRequest) as refused:
        edited(system=[{"type": "image"}])
    assert refused.value.param == "system[0]"


def test_empty_texts_go_and_messages_without_content_with_them() -> None:
    assert contents(
        USER, {"role": "assistant", "content": [text("")]}, {"role": "user", "content": [text(" "), text("b")]}
    ) == [
        "a",
        [text("b")],
    ]
    with pytest.raises(BadRequest):
        edited(messages=[{"role": "user", "content": ""}])


def test_instructions_in_the_middle_become_reminders() -> None:
    note = "<system-reminder>\n{}\n</system-reminder>"
    system = {"role": "system", "content": "s"}
    assert contents(USER, system) == [[text("a"), text(note.format("s"))]]
    assistant = {"role": "assistant", "content": "b"}
    assert contents(USER, assistant, system, USER)[2] == [text(note.format("s")), text("a")]
    result = {"type": "tool_result", "tool_use_id": "t", "content": "x"}
    assert contents(USER, assistant, system, {"role": "user", "content": [result]})[2] == [
        result,
        text(note.format("s")),
    ]
    assert contents(USER, assistant, system, assistant, USER)[2] == [text(note.format("s"))]
    assert contents(USER, assistant, system)[2] == [text(note.format("s"))]


def test_instructions_before_the_first_turn_join_the_system_prompt() -> None:
    body = edited(system="s", messages=[{"role": "system", "content": "t"}, USER])
    assert body["system"] == [text("s"), text("t")]
    assert body["messages"] == [USER]


def test_a_conversation_that_ends_with_the_assistant_goes_on_with_the_user() -> None:
    assert contents(USER, {"role": "assistant", "content": "{ "}) == ["a", [text("{")], [text("Please continue.")]]
    assert contents(USER, {"role": "assistant", "content": "b"})[1] == "b"


def test_thinking_goes_back_only_under_its_own_models_seal() -> None:
    native, sealed = thinking("hm"), redacted()
    foreign = [
        {"type": "thinking", "thinking": "x", "signature": "model@host"},
        {"type": "thinking", "thinking": "x", "signature": ""},
        {"type": "thinking", "thinking": "x", "signature": "brg1.abc"},
        {"type": "thinking", "thinking": "x"},
        {"type": "redacted_thinking", "data": "brg1.abc"},
    ]
    assert blocks(*foreign, native, text("t"), role="assistant") == [native, text("t")]
    assert blocks(sealed, text("t"), role="assistant") == [sealed, text("t")]
    silent = native | {"thinking": ""}
    assert blocks(silent, text("t"), role="assistant") == [silent, text("t")]


def test_thinking_stands_neither_last_nor_twice_and_calls_come_last() -> None:
    one, two = thinking("1"), thinking("2")
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    assert blocks(text("t"), one, role="assistant") == [text("t")]
    assert blocks(one, two, text("t"), role="assistant") == [one, text("t")]
    assert blocks(one, call, text("t"), role="assistant") == [one, text("t"), call]
    early, late = {"role": "assistant", "content": [one, two, text("t")]}, {"role": "assistant", "content": "b"}
    assert contents(USER, early, USER, late, USER)[1] == [one, two, text("t")]


def test_documents_of_text_become_text_wherever_they_stand() -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "words"}
    document = {"type": "document", "title": "T", "source": source, "cache_control": MARK}
    wanted = [text("Document: T\n\nwords", cache_control=MARK)]
    assert blocks(document) == wanted
    result = {"type": "tool_result", "tool_use_id": "t", "content": [document]}
    assert blocks(result)[0]["content"] == wanted


def test_what_lies_at_an_address_is_noted_and_named() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    pdf = {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}
    body, dropped = edited_and_dropped(messages=[{"role": "user", "content": [image, pdf]}])
    noted = body["messages"][0]["content"]
    assert [block["type"] for block in noted] == ["text", "text"]
    assert "https://example.com/a.png" in noted[0]["text"]
    assert dropped == ("image_url", "document_url")
    inline = {"type": "image", "source": {"type": "url", "url": f"data:image/png;base64,{PNG}"}}
    assert blocks(inline)[0]["source"] == {"type": "base64", "media_type": "image/png", "data": PNG}


def test_blocks_of_unknown_kinds_are_left_out_by_name() -> None:
    odd = [{"type": "container_upload", "file_id": "f"}, {"type": "Evil\r\nHeader"}, {"type": 5}, "bare"]
    body, dropped = edited_and_dropped(messages=[{"role": "user", "content": [*odd, text("x")]}])
    assert body["messages"][0]["content"] == [text("x")]
    assert dropped == ("container_upload", "content")


def test_members_of_blocks_that_are_unknown_are_left_out() -> None:
    assert blocks(text("x", novelty=1)) == [text("x")]
    body = edited(messages=[{"role": "user", "content": "x", "output_config": {"effort": "low"}}])
    assert body["messages"] == [{"role": "user", "content": "x"}]


def test_searches_of_the_history_become_words() -> None:
    found = {"type": "web_search_result", "title": "T", "url": "https://example.com"}
    said = blocks(
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": [found]},
        text("so", citations=[{"type": "web_search_result_location"}, {"type": "char_location"}]),
        role="assistant",
    )
    assert said[0]["text"] == "[Searched the web for: q]"
    assert "- T: https://example.com" in said[1]["text"]
    assert said[2] == text("so", citations=[{"type": "char_location"}])


def test_calls_that_broke_off_and_ids_of_other_vendors_are_made_to_fit() -> None:
    call = {"type": "tool_use", "id": "functions.f:0", "name": "f", "input": '{"a'}
    result = {"type": "tool_result", "tool_use_id": "functions.f:0", "content": "x"}
    said = contents(USER, {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]})
    assert said[1][0]["input"] == {"_raw_arguments": '{"a'}
    assert said[1][0]["id"] == said[2][0]["tool_use_id"] != "functions.f:0"


def test_no_more_than_four_breakpoints_are_left() -> None:
    marked = [text(str(number), cache_control={**MARK, "scope": "global", "ttl": "1h"}) for number in range(5)]
    body = edited(
        tools=[TOOL | {"cache_control": MARK}, TOOL | {"name": "g", "cache_control": MARK}],
        system=[text("s", cache_control=MARK), text("t", cache_control=MARK)],
        messages=[{"role": "user", "content": marked}],
    )
    held = [
        block.get("cache_control")
        for part in (body["tools"], body["system"], body["messages"][0]["content"])
        for block in part
    ]
    assert held == [None, MARK, None, MARK, None, None, None, MARK, MARK]


def test_scopes_are_taken_out_of_nested_results() -> None:
    inner = text("x", cache_control={**MARK, "scope": "global"})
    result = {"type": "tool_result", "tool_use_id": "t", "content": [inner], "cache_control": None}
    assert blocks(result) == [{"type": "tool_result", "tool_use_id": "t", "content": [text("x", cache_control=MARK)]}]


def test_caching_asked_for_as_a_whole_is_a_breakpoint_at_the_end() -> None:
    body = edited(cache_control=MARK)
    assert "cache_control" not in body
    assert body["messages"][-1]["content"] == [text("hi", cache_control=MARK)]


def test_tools_lose_what_is_refused() -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {"a": {}}}
    tool = {"name": "f", "description": "", "input_schema": schema, "eager_input_streaming": True, "strict": True}
    kept = {"type": "object", "properties": {"a": {}}}
    assert edited(tools=[tool])["tools"] == [{"name": "f", "input_schema": kept, "strict": True}]


def test_server_tools_that_are_refused_are_named_and_no_longer_chosen() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    body, dropped = edited_and_dropped(tools=[search], tool_choice={"type": "tool", "name": "web_search"}, system="s")
    assert body.keys().isdisjoint({"tools", "tool_choice"})
    assert body["system"][0] == text("s")
    assert "Web search is not available" in body["system"][1]["text"]
    assert dropped == ("web_search", "tool_choice")
    body, dropped = edited_and_dropped(tools=[search, TOOL], tool_choice={"type": "auto"})
    assert (body["tools"], body["tool_choice"]) == ([TOOL], {"type": "auto"})
    bash = {"type": "bash_20250124", "name": "bash"}
    assert edited(tools=[bash])["tools"] == [bash]


def test_the_oldest_of_too_many_images_give_way() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [image, image]}
    body, dropped = edited_and_dropped(
        Target("m", max_images=2), messages=[{"role": "user", "content": [image, result, image]}]
    )
    first, second, last = body["messages"][0]["content"]
    assert [first["type"], *(block["type"] for block in second["content"]), last["type"]] == [
        "text",
        "text",
        "image",
        "image",
    ]
    assert dropped == ("image",)


def test_structured_output_is_a_setting_or_an_instruction() -> None:
    schema = {"type": "object", "properties": {"title": {"type": "string"}}}
    form = {"type": "json_schema", "schema": schema}
    assert edited(output_format=form)["output_config"] == {"format": form}
    assert edited(output_config={"format": form | {"name": "n"}, "effort": "low"})["output_config"] == {
        "effort": "low",
        "format": form,
    }
    body = edited(Target("m", structured_outputs=False), output_config={"format": form})
    assert "output_config" not in body
    assert '"title"' in body["system"][0]["text"]


def test_a_long_conversation_is_edited_in_a_few_milliseconds_worth_of_work() -> None:
    """Counted in messages that are built, not in time: those of a tool loop pass unbuilt."""
    call = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"a": "x" * 2000}}]}
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "y" * 2000}]}
    asked = open_request(body_of(messages=[USER, *[call, result] * 100]))
    written = edit_request(asked, target_of("claude-sonnet-4.5")).body
    assert all(bytes(raw) in written for raw in asked.entries)


def test_nesting_without_end_is_refused() -> None:
    deep = '{"a":' * 400 + "1" + "}" * 400
    message = f'{{"role":"user","content":[{{"type":"text","text":"x","y":{deep}}}]}}'
    body = f'{{"model":"m","max_tokens":5,"messages":[{message}]}}'
    assert json.loads(edit_request(open_request(body.encode()), TARGET).body)["messages"][0]["content"] == [text("x")]
    with pytest.raises(BadRequest):
        open_request(body.replace(deep, '{"a":' * 90_000 + "1" + "}" * 90_000).encode())


@pytest.mark.parametrize(
    "members",
    [
        {"messages": [{"role": "user", "content": [{"type": ["x"]}, text("x")]}]},
        {"messages": [USER, {"role": "assistant", "content": []}]},
        {"tools": [TOOL | {"type": {}}, {"type": ["web_search"]}], "tool_choice": {"type": "tool", "name": ["f"]}},
        {"messages": [{"role": "user", "content": [text("x", cache_control=["x"], citations=5)]}]},
        {"messages": [{"role": "user", "content": [{"type": "document", "source": 5, "title": []}, text("x")]}]},
        {"thinking": {"type": ["x"]}, "output_config": {"effort": 5, "format": 5}, "top_p": 0.5},
        {"metadata": {"user_id": 5}, "context_management": {"edits": [5]}},
    ],
)
def test_members_of_odd_types_do_no_harm(members: dict[str, Any]) -> None:
    for target in (TARGET, target_of("claude-sonnet-4.5"), Target("m", max_images=0)):
        assert edited(target, **members)["messages"][-1]["role"] == "user"

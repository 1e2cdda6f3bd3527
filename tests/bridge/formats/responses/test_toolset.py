"""Tools on the verbatim road."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from bridge.errors import BadRequest
from bridge.formats.responses.names import fitted_name, restored_name
from bridge.formats.responses.toolset import PLACEHOLDER, edited_choice, edited_tools, mended_list
from bridge.target import Target, WireProfile
from tests.bridge.formats.responses.recordings import asked

TARGET = Target(model="gpt-5.9", family="gpt-5.9")
FOREIGN = Target(model="grok-4.7", profile=WireProfile.FOREIGN)


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def read(tools: list[Raw]) -> list[Any]:
    return [json.loads(bytes(tool)) for tool in tools]


def test_tools_that_copilot_does_not_run_are_taken_out() -> None:
    kinds = [
        "image_generation", "mcp", "file_search", "code_interpreter", "computer_use_preview", "web_search",
        "web_search_preview_2025_03_11", "tool_search", "local_shell",
    ]  # fmt: skip
    toolset = edited_tools(raw([{"type": kind} for kind in kinds]), TARGET)
    assert [tool["type"] for tool in read(toolset.tools)] == kinds[5:]
    assert toolset.dropped == tuple(kinds[:5])
    assert edited_tools(raw([{"type": "web_search_preview"}]), FOREIGN).dropped == ("web_search",)


def test_a_tool_without_fault_stays_the_bytes_it_was() -> None:
    text = b'[{"type":"function",  "name":"read","parameters":{"properties":{"name":{"enum":["a b"]}}}}]'
    toolset = edited_tools(Raw(text), TARGET)
    assert bytes(toolset.tools[0]) == text[1:-1]
    assert mended_list(Raw(text), "input") is None


def test_an_empty_description_gets_a_text_wherever_it_stands() -> None:
    inner = {"type": "function", "name": "b", "description": ""}
    space = {"type": "namespace", "name": "s", "description": "", "tools": [inner, {"type": "custom", "name": "c"}]}
    (tool,) = read(edited_tools(raw([space]), TARGET).tools)
    assert tool["description"] == tool["tools"][0]["description"] == PLACEHOLDER
    assert "description" not in tool["tools"][1]
    mended = mended_list(raw([inner]), "input")
    assert mended is not None
    assert json.loads(bytes(mended))[0]["description"] == PLACEHOLDER


@pytest.mark.parametrize("name", ["tool_search", "mcp.server/read", "n" * 65, "über", "a b"])
def test_a_name_that_is_refused_goes_under_another_and_comes_back(name: str) -> None:
    tools = [{"type": "namespace", "name": "s", "tools": [{"type": "function", "name": name}]}]
    (tool,) = read(edited_tools(raw(tools), TARGET).tools)
    sent = tool["tools"][0]["name"]
    assert sent != name
    assert len(sent) <= 64
    assert sent.replace("_", "").isalnum()
    assert sent.isascii()
    assert sent == fitted_name(name)
    assert restored_name(sent, asked(tools=tools)) == name
    item = {"type": "additional_tools", "role": "developer", "tools": tools}
    assert restored_name(sent, asked(input=[item])) == name


def test_names_of_the_model_that_only_look_renamed_stay() -> None:
    tools = [{"type": "function", "name": "get_x01234567"}]
    assert restored_name("get_x01234567", asked(tools=tools)) == "get_x01234567"
    assert restored_name("get_x01234567", asked()) == "get_x01234567"
    assert restored_name("read", asked()) == "read"


@pytest.mark.parametrize("tools", [{"a": 1}, ["text"], [{"type": 7}]])
def test_tools_that_are_none_are_refused(tools: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        edited_tools(raw(tools), TARGET)
    assert caught.value.param == "tools"


def test_a_choice_names_tools_as_they_are_sent() -> None:
    def choice(value: Any, dropped: tuple[str, ...] = (), *, has_tools: bool = True) -> Any:
        edited = edited_choice(raw(value), dropped, has_tools=has_tools)
        return None if edited is None else json.loads(bytes(edited))

    assert choice("auto") == "auto"
    assert choice("required", ("mcp",), has_tools=False) is None
    assert choice({"type": "function", "name": "a.b"}) == {"type": "function", "name": fitted_name("a.b")}
    assert choice({"type": "mcp", "server_label": "s"}) is None
    assert choice({"type": "web_search"}, ("web_search",)) is None
    assert choice({"type": "web_search"}) == {"type": "web_search"}
    allowed = [{"type": "function", "name": "a.b"}, {"type": "mcp"}]
    narrowed = choice({"type": "allowed_tools", "mode": "auto", "tools": allowed})
    assert narrowed["tools"] == [{"type": "function", "name": fitted_name("a.b")}]
    assert choice({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "mcp"}]}) is None

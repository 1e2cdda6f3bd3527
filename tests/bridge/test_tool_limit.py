"""More tools than a format takes: those in use stay, the loss is named."""

from __future__ import annotations

from bridge.parts import Call, Text
from bridge.prompt import Choice, Prompt, Role, Tool, ToolChoice, Turn
from bridge.tool_limit import MOST_TOOLS, with_fewer_tools


def prompt_of(count: int, *parts: Call, choice: ToolChoice | None = None) -> Prompt:
    turns = (Turn(Role.USER, (Text("Hello"),)), Turn(Role.ASSISTANT, parts))
    return Prompt(turns, tools=tuple(Tool(f"tool_{number}") for number in range(count)), tool_choice=choice)


def test_as_many_as_fit_stay_as_they_are() -> None:
    prompt = prompt_of(MOST_TOOLS)
    assert with_fewer_tools(prompt) is prompt


def test_the_first_stay_and_the_loss_is_named() -> None:
    fewer = with_fewer_tools(prompt_of(200))
    assert [tool.name for tool in fewer.tools] == [f"tool_{number}" for number in range(MOST_TOOLS)]
    assert fewer.dropped == ("tools",)


def test_tools_that_were_called_or_must_be_stay() -> None:
    choice = ToolChoice(Choice.NAMED, "tool_199")
    fewer = with_fewer_tools(prompt_of(200, Call("call_1", "tool_150", "{}"), choice=choice))
    names = [tool.name for tool in fewer.tools]
    assert len(names) == MOST_TOOLS
    assert names[-2:] == ["tool_150", "tool_199"]

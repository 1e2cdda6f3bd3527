"""The most tools a format takes, and which stay when there are more.

OpenAI's formats take 128 (https://platform.openai.com/docs/api-reference/chat/create, `tools`), Anthropic's any number.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.parts import Call
from bridge.prompt import Prompt

MOST_TOOLS = 128


def with_fewer_tools(prompt: Prompt) -> Prompt:
    """The prompt with at most MOST_TOOLS tools and `tools` named as dropped when some had to go.

    The tool that must be called and those called before stay, then the first of the others; their order is kept.
    """
    if len(prompt.tools) <= MOST_TOOLS:
        return prompt
    used = {part.name for turn in prompt.turns for part in turn.parts if isinstance(part, Call)}
    if prompt.tool_choice is not None:
        used |= {prompt.tool_choice.name, *prompt.tool_choice.allowed}
    ranked = sorted(range(len(prompt.tools)), key=lambda index: (prompt.tools[index].name not in used, index))
    kept = set(ranked[:MOST_TOOLS])
    tools = tuple(tool for index, tool in enumerate(prompt.tools) if index in kept)
    return replace(prompt, tools=tools, dropped=(*prompt.dropped, "tools"))

"""The client program behind a `User-Agent`, without its version, so that usage can be told apart by program."""

from __future__ import annotations

import re
from functools import lru_cache

LIMIT = 40

# What the beginning of a User-Agent tells, the most particular first.
_KNOWN = (
    ("claude-cli", "Claude Code"),
    ("claude-vscode", "Claude Code"),
    ("codex", "Codex"),
    ("cursor", "Cursor"),
    ("cherrystudio", "Cherry Studio"),
    ("opencode", "opencode"),
    ("ai-sdk", "AI SDK"),
    ("aider", "aider"),
    ("litellm", "LiteLLM"),
    ("roo-code", "Roo Code"),
    ("cline", "Cline"),
    ("continue", "Continue"),
    ("zed", "Zed"),
    ("open-webui", "Open WebUI"),
    ("langchain", "LangChain"),
    ("asyncopenai", "OpenAI SDK"),
    ("openai", "OpenAI SDK"),
    ("asyncanthropic", "Anthropic SDK"),
    ("anthropic", "Anthropic SDK"),
)
# These name themselves behind a browser's words.
_WITHIN = (("cherrystudio/", "Cherry Studio"), ("cursor/", "Cursor"), ("cline/", "Cline"))
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")


@lru_cache(maxsize=1024)
def program_of(user_agent: str) -> str:
    """The program's name, at most LIMIT characters; empty when the header says nothing."""
    told = user_agent.strip().lower()
    for mark, name in _WITHIN:
        if mark in told:
            return name
    for beginning, name in _KNOWN:
        if told.startswith(beginning):
            return name
    found = _NAME.match(user_agent.strip())
    return found.group()[:LIMIT] if found else ""

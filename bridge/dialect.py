"""The three wire formats that clients speak and that Copilot speaks upstream."""

from __future__ import annotations

from enum import StrEnum


class Dialect(StrEnum):
    """Chat Completions and Responses are OpenAI's, Messages is Anthropic's."""

    CHAT = "chat"
    RESPONSES = "responses"
    MESSAGES = "messages"

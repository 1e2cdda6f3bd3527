"""The paths of the Copilot API that generate something, as the model list names them."""

from __future__ import annotations

from enum import StrEnum


class Endpoint(StrEnum):
    CHAT = "/chat/completions"
    RESPONSES = "/responses"
    RESPONSES_WS = "ws:/responses"
    MESSAGES = "/v1/messages"
    EMBEDDINGS = "/embeddings"

    @property
    def wire_format(self) -> str:
        """The wire format spoken there, in one word."""
        return {"/chat/completions": "chat", "/v1/messages": "messages", "/embeddings": "embeddings"}.get(
            self.value, "responses"
        )

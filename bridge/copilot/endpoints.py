"""The paths of the Copilot API that generate something, as the model list names them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


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


# By the caller's wire format: its own first, then the one that loses least.
PREFERRED: Final[Mapping[str, tuple[Endpoint, ...]]] = MappingProxyType(
    {
        "chat": (Endpoint.CHAT, Endpoint.RESPONSES, Endpoint.MESSAGES),
        "responses": (Endpoint.RESPONSES, Endpoint.MESSAGES, Endpoint.CHAT),
        "messages": (Endpoint.MESSAGES, Endpoint.RESPONSES, Endpoint.CHAT),
    }
)

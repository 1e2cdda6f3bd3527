"""Who the gateway says it is: every header of the editor profile and every version, in one place.

The default is one consistent set: VS Code with the Copilot Chat release that belongs to it (the two versions have
moved together since 1.108/0.36) and the API version that release asks for. GitHub retires old versions now and
then (status 466), so each value can be overridden by settings without a release of the gateway.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

from bridge.copilot.endpoints import Endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.copilot.initiator import Initiator


@dataclass(frozen=True, slots=True)
class Profile:
    """The identity sent to GitHub and Copilot. An empty value leaves its header out."""

    client_id: str = "Iv1.b507a08c87ecfe98"
    scope: str = "read:user"
    integration_id: str = "vscode-chat"
    editor_version: str = "vscode/1.122.0"
    plugin_version: str = "copilot-chat/0.50.1"
    user_agent: str = "GitHubCopilotChat/0.50.1"
    user_agent_library: str = "electron-fetch"
    # What the Copilot API, `api.github.com/copilot_internal` and GitHub's public REST API are asked to speak.
    copilot_api_version: str = "2026-06-01"
    internal_api_version: str = "2025-04-01"
    rest_api_version: str = "2022-11-28"
    chat_intent: str = "conversation-agent"
    responses_intent: str = "conversation-agent"
    messages_intent: str = "conversation-agent"
    embeddings_intent: str = "copilot-panel"
    device_id: str = ""
    machine_id: str = ""
    session_id: str = ""

    @classmethod
    def from_mapping(cls, overrides: Mapping[str, str]) -> Self:
        """Return the default profile with some values replaced; raises ValueError with a sentence."""
        known = {each.name for each in fields(cls)}
        for name, value in overrides.items():
            if name not in known:
                raise ValueError(f"{name!r} is not part of the profile; it has {', '.join(sorted(known))}.")
            if not isinstance(value, str) or not value.isascii() or (value and not value.isprintable()):
                raise ValueError(f"The value of {name!r} must be a line of ASCII text.")
        return cls(**overrides)

    def intent(self, endpoint: Endpoint) -> str:
        """Return the intent that requests to an endpoint carry."""
        match endpoint:
            case Endpoint.CHAT:
                return self.chat_intent
            case Endpoint.RESPONSES | Endpoint.RESPONSES_WS:
                return self.responses_intent
            case Endpoint.MESSAGES:
                return self.messages_intent
            case Endpoint.EMBEDDINGS:
                return self.embeddings_intent

    def login_headers(self) -> dict[str, str]:
        """Headers of the device flow; without `Accept`, GitHub answers form-encoded."""
        return _filled(
            {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": self.user_agent}
        )

    def github_headers(self) -> dict[str, str]:
        """Headers of `api.github.com/copilot_internal/*`; the editor's own client sends no editor versions there."""
        return _filled(
            {
                "Accept": "application/json",
                "User-Agent": self.user_agent,
                "X-GitHub-Api-Version": self.internal_api_version,
                "X-VSCode-User-Agent-Library-Version": self.user_agent_library,
            }
        )

    def rest_headers(self) -> dict[str, str]:
        """Headers of GitHub's public REST API."""
        return _filled(
            {
                "Accept": "application/vnd.github+json",
                "User-Agent": self.user_agent,
                "X-GitHub-Api-Version": self.rest_api_version,
            }
        )

    def models_headers(self, request_id: str) -> dict[str, str]:
        """Headers of `GET /models`, without the bearer."""
        return self._copilot_headers("model-access", request_id)

    def generation_headers(
        self, *, intent: str, initiator: Initiator, vision: bool, request_id: str, interaction_id: str = ""
    ) -> dict[str, str]:
        """Headers of a generation request, without the bearer.

        `request_id` is to be a new one for every attempt; `interaction_id` names the conversation.
        """
        headers = self._copilot_headers(intent, request_id) | {
            "Content-Type": "application/json",
            "X-Agent-Task-Id": request_id,
            "X-Initiator": initiator.value,
        }
        if interaction_id:
            headers["X-Interaction-Id"] = interaction_id
        if vision:
            headers["Copilot-Vision-Request"] = "true"
        return headers

    def _copilot_headers(self, intent: str, request_id: str) -> dict[str, str]:
        return _filled(
            {
                "User-Agent": self.user_agent,
                "Copilot-Integration-Id": self.integration_id,
                "Editor-Version": self.editor_version,
                "Editor-Plugin-Version": self.plugin_version,
                "Editor-Device-Id": self.device_id,
                "VScode-MachineId": self.machine_id,
                "VScode-SessionId": self.session_id,
                "X-GitHub-Api-Version": self.copilot_api_version,
                "X-VSCode-User-Agent-Library-Version": self.user_agent_library,
                "OpenAI-Intent": intent,
                "X-Interaction-Type": intent,
                "X-Request-Id": request_id,
            }
        )


def _filled(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if value}

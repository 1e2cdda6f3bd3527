"""The headers of the editor profile."""

from __future__ import annotations

import pytest

from bridge.copilot.endpoints import Endpoint
from bridge.copilot.identity import Profile
from bridge.copilot.initiator import Initiator


def test_the_default_versions_belong_together() -> None:
    profile = Profile()
    version = profile.plugin_version.removeprefix("copilot-chat/")
    assert profile.user_agent == f"GitHubCopilotChat/{version}"
    # The editor's minor version runs 72 ahead of the chat extension's.
    assert int(profile.editor_version.split(".")[1]) - int(version.split(".")[1]) == 72


def test_an_override_replaces_one_value() -> None:
    profile = Profile.from_mapping({"editor_version": "vscode/1.130.0"})
    assert profile.editor_version == "vscode/1.130.0"
    assert profile.integration_id == "vscode-chat"


def test_an_unknown_override_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'editor' is not part of the profile; it has .*editor_version"):
        Profile.from_mapping({"editor": "vim"})


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "é", 3])
def test_a_value_that_cannot_be_a_header_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="line of ASCII"):
        Profile.from_mapping({"user_agent": value})


def test_generation_headers_carry_everything_the_editor_sends() -> None:
    headers = Profile().generation_headers(
        intent="conversation-agent", initiator=Initiator.AGENT, vision=True, request_id="r1", interaction_id="i1"
    )
    assert headers == {
        "User-Agent": "GitHubCopilotChat/0.50.1",
        "Copilot-Integration-Id": "vscode-chat",
        "Editor-Version": "vscode/1.122.0",
        "Editor-Plugin-Version": "copilot-chat/0.50.1",
        "X-GitHub-Api-Version": "2026-06-01",
        "X-VSCode-User-Agent-Library-Version": "electron-fetch",
        "OpenAI-Intent": "conversation-agent",
        "X-Interaction-Type": "conversation-agent",
        "X-Request-Id": "r1",
        "Content-Type": "application/json",
        "X-Agent-Task-Id": "r1",
        "X-Initiator": "agent",
        "X-Interaction-Id": "i1",
        "Copilot-Vision-Request": "true",
    }


def test_vision_and_interaction_are_left_out_when_there_are_none() -> None:
    headers = Profile().generation_headers(intent="x", initiator=Initiator.USER, vision=False, request_id="r")
    assert "Copilot-Vision-Request" not in headers
    assert "X-Interaction-Id" not in headers
    assert headers["X-Initiator"] == "user"


def test_an_empty_value_leaves_its_header_out() -> None:
    headers = Profile.from_mapping({"integration_id": "", "device_id": "d"}).models_headers("r")
    assert "Copilot-Integration-Id" not in headers
    assert headers["Editor-Device-Id"] == "d"


def test_the_model_list_is_asked_for_without_a_content_type() -> None:
    headers = Profile().models_headers("r")
    assert headers["OpenAI-Intent"] == headers["X-Interaction-Type"] == "model-access"
    assert "Content-Type" not in headers


def test_the_management_api_gets_its_own_version_and_no_editor() -> None:
    headers = Profile().github_headers()
    assert headers["X-GitHub-Api-Version"] == "2025-04-01"
    assert not any(name.startswith("Editor") for name in headers)


@pytest.mark.parametrize("endpoint", list(Endpoint))
def test_every_endpoint_has_an_intent(endpoint: Endpoint) -> None:
    expected = "copilot-panel" if endpoint is Endpoint.EMBEDDINGS else "conversation-agent"
    assert Profile().intent(endpoint) == expected

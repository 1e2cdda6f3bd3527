"""How the settings say GitHub is reached."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from accounts.github import configured_overrides, configured_profile, open_github


async def test_without_settings_the_usual_origins_hold() -> None:
    async with open_github() as github:
        origins = github.origins("github.com")
    assert (origins.github, origins.api, origins.operator) == ("https://github.com", "https://api.github.com", None)
    assert github.http.is_closed


def test_the_named_urls_win_over_the_table_of_hosts_and_leave_tenants_alone(settings: Settings) -> None:
    settings.BRIDGE_ORIGINS = {
        "github.com": {"api": "http://127.0.0.1:1/api", "github": "http://127.0.0.1:1/github"},
        "https://octo.ghe.com": {"api": "http://127.0.0.1:1/octo"},
    }
    settings.BRIDGE_GITHUB_API_URL = "http://127.0.0.1:2/api"
    assert configured_overrides() == {
        "github.com": {"api": "http://127.0.0.1:2/api", "github": "http://127.0.0.1:1/github"},
        "octo.ghe.com": {"api": "http://127.0.0.1:1/octo"},
    }


def test_the_profile_takes_single_values_from_the_settings(settings: Settings) -> None:
    settings.BRIDGE_PROFILE = {"editor_version": "vscode/1.99.0"}
    assert configured_profile().editor_version == "vscode/1.99.0"
    assert configured_profile().integration_id == "vscode-chat"


async def test_redirects_are_not_followed() -> None:
    async with open_github() as github:
        assert not github.http.follow_redirects


def test_a_wrong_profile_is_refused_in_words(settings: Settings) -> None:
    settings.BRIDGE_PROFILE = {"editor": "vim"}
    with pytest.raises(ValueError, match="not part of the profile"):
        configured_profile()

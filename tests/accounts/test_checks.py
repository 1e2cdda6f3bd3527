"""System checks: what the gateway must not start with."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

from accounts import checks


def ids() -> set[str]:
    return {message.id for check in checks.ALL for message in check() if message.id}


def test_the_settings_of_a_fresh_installation_pass() -> None:
    assert ids() == set()


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("MODEL_MAPPING", ["a"], "accounts.E001"),
        ("MODEL_MAPPING", "a", "accounts.E001"),
        ("MODEL_MAPPING", {"a": 1}, "accounts.E001"),
        ("MODEL_MAPPING", {"a": " "}, "accounts.E001"),
        ("MODEL_MAPPING", {"": "a"}, "accounts.E001"),
        ("API_KEY", "github-copilot-openai-api-key", "accounts.E002"),
        ("API_KEY", "two words of a key", "accounts.E003"),
        ("API_KEY", "ключ-длиннее-шестнадцати", "accounts.E003"),
        ("API_KEY", "short", "accounts.W001"),
        ("BRIDGE_ENCRYPTION_KEYS", [], "accounts.E004"),
        ("BRIDGE_ENCRYPTION_KEYS", ["x" * 32, "x" * 31], "accounts.E005"),
        ("BRIDGE_GITHUB_URL", "ftp://github.test", "accounts.E007"),
        ("BRIDGE_ORIGINS", [], "accounts.E007"),
        ("BRIDGE_ORIGINS", {"example.com": {}}, "accounts.E007"),
        ("BRIDGE_ORIGINS", {"octo.ghe.com": "https://x.test"}, "accounts.E007"),
        ("BRIDGE_ORIGINS", {"octo.ghe.com": {"web": "https://x.test"}}, "accounts.E007"),
        ("BRIDGE_PROFILE", {"editor": "vim"}, "accounts.E008"),
        ("BRIDGE_PROFILE", ["vim"], "accounts.E008"),
        ("BRIDGE_RETENTION_DAYS", -1, "accounts.E009"),
        ("BRIDGE_RETENTION_ROWS", -1, "accounts.E009"),
        ("BRIDGE_STORED_REPLY_HOURS", 0, "accounts.E010"),
        ("BRIDGE_STORED_REPLY_HOURS", 721, "accounts.E010"),
        ("BRIDGE_STORED_REPLY_LIMIT", 0, "accounts.E010"),
    ],
)
def test_a_wrong_setting_is_named_by_its_id(settings: Settings, name: str, value: Any, number: str) -> None:
    setattr(settings, name, value)
    assert ids() == {number}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODEL_MAPPING", {}),
        ("MODEL_MAPPING", {"gpt-4o": "gpt-5"}),
        ("API_KEY", "a-key-of-any-shape-at-all"),
        ("BRIDGE_ORIGINS", {"https://octo.ghe.com": {"api": "http://127.0.0.1:1/api"}}),
        ("BRIDGE_PROFILE", {"editor_version": "vscode/1.99.0"}),
        ("BRIDGE_RETENTION_ROWS", 0),
        ("BRIDGE_STORED_REPLY_HOURS", 720),
        ("BRIDGE_STORED_REPLY_LIMIT", 1),
    ],
)
def test_right_settings_pass(settings: Settings, name: str, value: Any) -> None:
    setattr(settings, name, value)
    assert ids() == set()


def test_several_processes_need_redis(settings: Settings) -> None:
    settings.WEB_CONCURRENCY = 2
    assert ids() == {"accounts.E006"}
    settings.REDIS_URL = "redis://127.0.0.1"
    assert ids() == set()


def test_django_runs_the_checks_and_no_message_shows_a_secret(settings: Settings) -> None:
    settings.API_KEY = "hush-hush"
    settings.BRIDGE_ENCRYPTION_KEYS = ["hush-hush-too"]
    messages = [message for message in run_checks() if str(message.id).startswith("accounts.")]
    assert {message.id for message in messages} == {"accounts.W001", "accounts.E005"}
    assert not any("hush" in str(message) for message in messages)

"""System checks: settings with which the gateway must not start, each with an id and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error

from accounts.github import configured_overrides, configured_profile, configured_wire_profiles
from accounts.vault import SHORTEST_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

PUBLISHED_API_KEY = "github-copilot-openai-api-key"
_SHORTEST_API_KEY = 16
# As long as OpenAI keeps them: https://platform.openai.com/docs/guides/your-data
_LONGEST_STORED_HOURS = 30 * 24


def check_model_mapping(**_context: Any) -> list[CheckMessage]:
    mapping = settings.MODEL_MAPPING
    if mapping is None:
        return []
    if isinstance(mapping, dict) and all(_is_name(name) and _is_name(target) for name, target in mapping.items()):
        return []
    return [
        Error(
            "MODEL_MAPPING is not a JSON object from model names to model names.",
            hint='For example {"gpt-4o-mini": "claude-opus-4.5"}, or {} for no mapping at all.',
            id="accounts.E001",
        )
    ]


def check_api_key(**_context: Any) -> list[CheckMessage]:
    key: str = settings.API_KEY
    if key == PUBLISHED_API_KEY:
        return [
            Error(
                "API_KEY is a default that was published; anybody knows it.",
                hint="Set API_KEY to a secret of your own, or leave it out and use the key that `setup` prints.",
                id="accounts.E002",
            )
        ]
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        return [Error("API_KEY is not one word of ASCII characters.", id="accounts.E003")]
    if key and len(key) < _SHORTEST_API_KEY:
        return [
            checks.Warning(
                f"API_KEY has fewer than {_SHORTEST_API_KEY} characters and can be guessed.", id="accounts.W001"
            )
        ]
    return []


def check_encryption_keys(**_context: Any) -> list[CheckMessage]:
    keys: list[str] = settings.BRIDGE_ENCRYPTION_KEYS
    if not keys:
        return [Error("BRIDGE_ENCRYPTION_KEYS is empty; tokens cannot be stored.", id="accounts.E004")]
    if any(len(key) < SHORTEST_KEY for key in keys):
        return [
            Error(
                f"A key in BRIDGE_ENCRYPTION_KEYS has fewer than {SHORTEST_KEY} characters.",
                hint='python -c "import secrets; print(secrets.token_urlsafe(32))" makes one.',
                id="accounts.E005",
            )
        ]
    return []


def check_workers(**_context: Any) -> list[CheckMessage]:
    if settings.WEB_CONCURRENCY > 1 and not settings.REDIS_URL:
        return [
            Error(
                "WEB_CONCURRENCY is more than 1 without REDIS_URL: every process would count limits for itself.",
                hint="Set REDIS_URL, or run one process.",
                id="accounts.E006",
            )
        ]
    return []


def check_upstream(**_context: Any) -> list[CheckMessage]:
    return [
        *_sentence(configured_overrides, "BRIDGE_ORIGINS or a BRIDGE_…_URL is wrong", "accounts.E007"),
        *_sentence(configured_profile, "BRIDGE_PROFILE is wrong", "accounts.E008"),
        *_sentence(configured_wire_profiles, "BRIDGE_WIRE_PROFILES is wrong", "accounts.E011"),
    ]


def check_retention(**_context: Any) -> list[CheckMessage]:
    if settings.BRIDGE_RETENTION_DAYS < 0 or settings.BRIDGE_RETENTION_ROWS < 0:
        return [
            Error(
                "BRIDGE_RETENTION_DAYS and BRIDGE_RETENTION_ROWS cannot be negative; 0 keeps everything.",
                id="accounts.E009",
            )
        ]
    return []


def check_stored_replies(**_context: Any) -> list[CheckMessage]:
    if not 0 < settings.BRIDGE_STORED_REPLY_HOURS <= _LONGEST_STORED_HOURS or settings.BRIDGE_STORED_REPLY_LIMIT <= 0:
        return [
            Error(
                f"BRIDGE_STORED_REPLY_HOURS is not within 1 and {_LONGEST_STORED_HOURS}, or "
                "BRIDGE_STORED_REPLY_LIMIT is not more than 0.",
                hint="To store no replies at all, set BRIDGE_STORE_REPLIES=false.",
                id="accounts.E010",
            )
        ]
    return []


ALL = (
    check_model_mapping,
    check_api_key,
    check_encryption_keys,
    check_workers,
    check_upstream,
    check_retention,
    check_stored_replies,
)


def _sentence(read: Callable[[], object], subject: str, number: str) -> list[CheckMessage]:
    try:
        read()
    except (ValueError, AttributeError) as fault:
        return [Error(f"{subject}: {fault}", id=number)]
    return []


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())

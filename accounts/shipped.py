"""The model routes a fresh installation starts with: requested name → live model."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROUTES: Mapping[str, str] = MappingProxyType(
    {
        "gpt-4o-mini": "claude-opus-4.5",
        "claude-opus-4-5-20251101": "claude-opus-4.5",
        "claude-sonnet-4-5-20250929": "claude-sonnet-4.5",
        "claude-haiku-4-5-20251001": "claude-haiku-4.5",
    }
)

"""What the simulated GitHub keeps of the tokens and device grants it has handed out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(slots=True)
class CopilotToken:
    """One running Copilot token."""

    value: str
    login: str
    tier: str
    expires_at: float
    revoked: bool = False


@dataclass(slots=True)
class SelectorToken:
    """One auto-mode session token."""

    value: str
    login: str
    model: str
    expires_at: float


class GrantState(StrEnum):
    """How far a device login has come."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    USED = "used"


@dataclass(slots=True)
class DeviceGrant:
    """One device login, from the first request to the token."""

    device_code: str
    user_code: str
    client_id: str
    tenant: str  # "" on github.com
    scope: str
    expires_at: float
    interval: int
    state: GrantState = GrantState.PENDING
    login: str = ""
    polls: int = 0
    polled_at: float | None = None

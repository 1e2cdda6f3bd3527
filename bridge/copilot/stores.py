"""What the upstream client asks to be remembered for it; `accounts` implements these on the database.

A lease makes one process of many the one that talks to GitHub: it is free, or held by an owner until a moment.
`claim` takes it by a conditional update (free or lapsed) and says whether that worked; `save` and `release` give
it back and do nothing to a lease somebody else holds by now. No method holds a transaction over the network.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bridge.copilot.tokens import CopilotToken
    from bridge.copilot.verdicts import TokenRefused


class CredentialKind(StrEnum):
    """How a seat comes to a bearer: its GitHub token is exchanged for a short-lived one or sent as it is, or the
    private key of an app signs for one."""

    EXCHANGED = "exchanged"
    DIRECT = "direct"
    APP = "app"


@dataclass(frozen=True, slots=True)
class AppCredential:
    """An installation of a GitHub App, and the private key (PEM) of the app."""

    client_id: str
    installation: int
    private_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SeatCredential:
    """A seat's secrets as stored: the GitHub token or the app, and the last Copilot token, if there is one."""

    seat: int
    host: str
    kind: CredentialKind
    github_token: str = field(default="", repr=False)
    copilot: CopilotToken | None = None
    app: AppCredential | None = None

    def is_signed_in_like(self, other: SeatCredential) -> bool:
        """Whether nobody connected the seat anew between the two."""
        return (self.github_token, self.app) == (other.github_token, other.app)


@dataclass(frozen=True, slots=True)
class StoredCatalogue:
    """A model list as the upstream sent it, and when (seconds since the epoch)."""

    body: bytes = field(repr=False)
    at: float


class TokenStore(Protocol):
    async def read(self, seat: int) -> SeatCredential:
        """Return the seat's credential; raises SeatRequired if there is none or the seat may not be used."""
        ...

    async def claim(self, seat: int, owner: str, seconds: float) -> bool:
        """Take the seat's lease for `seconds` if it is free or lapsed; a lease one holds already is not free."""
        ...

    async def save(self, seat: int, owner: str, token: CopilotToken) -> None:
        """Store the token and give the lease back."""
        ...

    async def release(self, seat: int, owner: str) -> None:
        """Give the lease back without a token."""
        ...

    async def refuse(self, seat: int, refusal: TokenRefused) -> None:
        """Remember that GitHub refuses this seat: its state becomes `refusal.state`."""
        ...

    async def discard(self, seat: int, token: CopilotToken) -> None:
        """Forget the stored Copilot token if it is still this one (same `expires_at` will do)."""
        ...


class CatalogueStore(Protocol):
    async def load(self, seat: int) -> StoredCatalogue | None: ...

    async def store(self, seat: int, body: bytes, at: float) -> None: ...

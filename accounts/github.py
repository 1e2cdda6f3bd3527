"""How this installation reaches GitHub: its identity and its origins, as the settings say."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
from django.conf import settings

from bridge.copilot.identity import Profile
from bridge.copilot.origins import GITHUB, Origins, normalise_host, origins_for
from bridge.target import WireProfile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class GitHub:
    """A client for login, exchange and account questions, with who we are and where to ask."""

    http: httpx.AsyncClient
    profile: Profile
    overrides: Mapping[str, Mapping[str, str]]

    def origins(self, host: str) -> Origins:
        return origins_for(host, self.overrides)


def configured_profile() -> Profile:
    """Return the identity of the settings; raises ValueError with a sentence."""
    if not isinstance(settings.BRIDGE_PROFILE, dict):
        raise ValueError("BRIDGE_PROFILE is a JSON object of names and values.")
    return Profile.from_mapping(settings.BRIDGE_PROFILE)


def configured_overrides() -> dict[str, dict[str, str]]:
    """Return host → origins that differ from the usual ones; raises ValueError with a sentence."""
    if not isinstance(settings.BRIDGE_ORIGINS, dict):
        raise ValueError("BRIDGE_ORIGINS is a JSON object of hosts.")
    overrides: dict[str, dict[str, str]] = {}
    for host, urls in settings.BRIDGE_ORIGINS.items():
        if not isinstance(urls, dict) or not all(isinstance(url, str) for url in urls.values()):
            raise ValueError(f"BRIDGE_ORIGINS gives {host} something other than an object of addresses.")
        overrides[normalise_host(host)] = dict(urls)
    named = {
        "github": settings.BRIDGE_GITHUB_URL,
        "api": settings.BRIDGE_GITHUB_API_URL,
        "copilot": settings.BRIDGE_COPILOT_URL,
    }
    overrides[GITHUB] = overrides.get(GITHUB, {}) | {name: url for name, url in named.items() if url}
    for host in overrides:
        origins_for(host, overrides)
    return overrides


def configured_wire_profiles() -> dict[str, WireProfile]:
    """Return model id prefix → habits of the Responses format; raises ValueError with a sentence."""
    rules = settings.BRIDGE_WIRE_PROFILES
    known = set(WireProfile)
    if not isinstance(rules, dict) or not all(prefix and profile in known for prefix, profile in rules.items()):
        raise ValueError(
            f"BRIDGE_WIRE_PROFILES is a JSON object from prefixes of model ids to one of {', '.join(WireProfile)}."
        )
    return {prefix: WireProfile(profile) for prefix, profile in rules.items()}


@asynccontextmanager
async def open_github() -> AsyncIterator[GitHub]:
    """Yield GitHub as configured, for a command or a page; the client is closed at the end."""
    async with httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False) as http:
        yield GitHub(http, configured_profile(), configured_overrides())

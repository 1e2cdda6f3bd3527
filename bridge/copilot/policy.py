"""Policy: agreeing to a model's terms, which some models ask of an account before their first use.

Only ever on a person's explicit word: the terms are GitHub's and the account is theirs.
Source: the `/models/{id}/policy` request of public clients (earendil-works/pi).
"""

from __future__ import annotations

from uuid import uuid4

import httpx

from bridge.copilot.identity import Profile
from bridge.copilot.keeper import Bearer
from bridge.copilot.refusals import read_refusal
from bridge.copilot.rest import send

_INTENT = "chat-policy"


async def accept_terms(http: httpx.AsyncClient, profile: Profile, bearer: Bearer, model: str) -> None:
    """Enable `model` for the bearer's account. Raises what the upstream refused it with (an organisation's rule, …)."""
    headers = profile.models_headers(str(uuid4())) | {
        "Authorization": f"Bearer {bearer.token}",
        "Content-Type": "application/json",
        "OpenAI-Intent": _INTENT,
        "X-Interaction-Type": _INTENT,
    }
    url = f"{bearer.api_base}/models/{model}/policy"
    answer = await send(http, "POST", url, headers=headers, body={"state": "enabled"})
    if answer.status >= 300:
        raise read_refusal(answer.status, answer.headers, answer.body)

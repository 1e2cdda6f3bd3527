"""The simulator's strict rules for /v1/messages as a judge of written bodies, and what the judge would sign."""

from __future__ import annotations

import json
from typing import Any

from bridge.asked import Written
from bridge.formats.messages.verbatim import open_request
from bridge.road import Heading
from bridge.target import Target
from tests.simulator.catalogue import MESSAGES, Model
from tests.simulator.catalogue_rows import MODELS
from tests.simulator.generate.message_rules import check_messages
from tests.simulator.generate.seals import Kind, Seals, digest
from tests.simulator.wire import Refusal

SEALS = Seals("seed", "octocat", 1)
CLAUDES = {model.id: model for model in MODELS if MESSAGES in model.endpoints}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


def target_of(name: str, **known: Any) -> Target:
    """The model as its entry in the model list tells it."""
    model = CLAUDES[name]
    thinks_by_budget = model.thinking in ("budget", "both")
    fields: dict[str, Any] = {
        "vendor": model.vendor,
        "family": model.id,
        "max_output_tokens": model.output,
        "efforts": model.efforts or None,
        "adaptive_thinking": model.thinking in ("both", "adaptive", "always"),
        "min_thinking_budget": 1024 if thinks_by_budget else None,
        "max_thinking_budget": 32_000 if thinks_by_budget else None,
        "max_images": model.vision or None,
    }
    return Target(name, **(fields | known))


def refusal_of(written: Written, name: str, betas: tuple[str, ...] = ()) -> str | None:
    """What the upstream would say against the body; None when it takes it."""
    model: Model = CLAUDES[name]
    try:
        check_messages(json.loads(written.body), model, {"anthropic-beta": ",".join(betas)}, SEALS)
    except Refusal as refusal:
        return refusal.body.decode()
    return None


def thinking(text: str) -> dict[str, Any]:
    """A thinking block as the upstream signed it."""
    return {"type": "thinking", "thinking": text, "signature": SEALS.seal(Kind.SIGNATURE, digest(text))}


def redacted() -> dict[str, Any]:
    return {"type": "redacted_thinking", "data": SEALS.seal(Kind.SIGNATURE)}


def body_of(**members: Any) -> bytes:
    """A caller's body with everything that must be there."""
    whole = {"model": "claude", "max_tokens": 4096, "messages": [{"role": "user", "content": "hi"}]} | members
    return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()


def heading_of(*, stream: bool = True, model: str = "sonnet", estimate: int = 7) -> Heading:
    return Heading(open_request(body_of(model=model, stream=stream)), "0123456789abcdef" * 2, 1_760_000_000, estimate)

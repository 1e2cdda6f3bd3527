"""opencode: `opencode run`, on each of the three doors by one of its providers.

A conversation begins with a request for its title beside the first turn; it is broken off when the turn is over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from bridge.dialect import Dialect
from tests.clients.program import Command, Model, Place, please_make, saying

_PROVIDERS = MappingProxyType(
    {
        Dialect.CHAT: "@ai-sdk/openai-compatible",
        Dialect.RESPONSES: "@ai-sdk/openai",
        Dialect.MESSAGES: "@ai-sdk/anthropic",
    }
)
_THINKING = MappingProxyType(
    {
        Dialect.CHAT: {"reasoningEffort": "medium"},
        Dialect.RESPONSES: {"reasoningEffort": "medium", "reasoningSummary": "auto"},
        Dialect.MESSAGES: {"thinking": {"type": "enabled", "budgetTokens": 4000}},
    }
)
_MODELS = MappingProxyType(
    {
        Dialect.CHAT: (Model("gemini-3.8-flash", Dialect.CHAT), Model("gpt-5.5", Dialect.RESPONSES)),
        Dialect.RESPONSES: (Model("gpt-5.5", Dialect.RESPONSES), Model("claude-sonnet-5", Dialect.MESSAGES)),
        Dialect.MESSAGES: (Model("claude-sonnet-5", Dialect.MESSAGES), Model("gemini-3.8-flash", Dialect.CHAT)),
    }
)
"""Of each door its own format and one other: it takes its time, and Claude Code and Codex try the rest."""
_QUIET = MappingProxyType(
    {
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    }
)


@dataclass(frozen=True, slots=True)
class Opencode:
    executable: Path
    door: Dialect
    converses: ClassVar[bool] = True
    patience: ClassVar[float] = 0
    replays_thoughts: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return f"opencode-{self.door}"

    @property
    def models(self) -> tuple[Model, ...]:
        return _MODELS[self.door]

    def prepare(self, place: Place) -> None:
        model = {
            "name": place.model.name,
            "reasoning": True,
            "tool_call": True,
            "limit": {"context": 100_000, "output": 16_000},
            "options": _THINKING[self.door],
        }
        provider = {
            "npm": _PROVIDERS[self.door],
            "options": {"baseURL": f"{place.url}/v1", "apiKey": place.key},
            "models": {place.model.name: model},
        }
        settings = {
            "provider": {"gateway": provider},
            "permission": {"*": "allow"},
            "autoupdate": False,
            "share": "disabled",
        }
        (place.project / "opencode.json").write_text(json.dumps(settings))

    def ask(self, place: Place, prompt: str, *, again: bool) -> Command:
        # On standard input: a prompt among the arguments is sent with its quotation marks escaped.
        arguments = [str(self.executable), "run", "--model", f"gateway/{place.model.name}"]
        if again:
            arguments.append("--continue")
        return Command(tuple(arguments), place.environment(_QUIET), prompt)

    def making(self, model: Model, file: str, content: str) -> str:
        prompt = please_make(file, content)
        if not model.name.startswith("gpt-5"):
            return prompt
        # Such models get a tool of its own in place of `write`, whose argument the simulator does not know.
        patch = f"*** Begin Patch\n*** Add File: {file}\n+{content}\n*** End Patch"
        return f"{prompt} {saying(call='apply_patch', arguments={'patchText': patch})}"

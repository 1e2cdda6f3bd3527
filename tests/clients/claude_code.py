"""Claude Code: `claude -p`, on the Messages door."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bridge.dialect import Dialect
from tests.clients.program import Command, Model, Place, please_make


@dataclass(frozen=True, slots=True)
class ClaudeCode:
    executable: Path
    name: ClassVar[str] = "claude"
    door: ClassVar[Dialect] = Dialect.MESSAGES
    converses: ClassVar[bool] = True
    patience: ClassVar[float] = 0
    replays_thoughts: ClassVar[bool] = True
    models: ClassVar[tuple[Model, ...]] = (
        Model("claude-sonnet-5", Dialect.MESSAGES),
        Model("gpt-5.5", Dialect.RESPONSES),
        Model("gemini-3.8-flash", Dialect.CHAT),
    )

    def prepare(self, place: Place) -> None:
        trusted = {"hasTrustDialogAccepted": True}
        settings = {"hasCompletedOnboarding": True, "projects": {str(place.project): trusted}}
        (place.home / ".claude.json").write_text(json.dumps(settings))

    def ask(self, place: Place, prompt: str, *, again: bool) -> Command:
        arguments = [str(self.executable), "--print", "--allowedTools", "Bash,Write,Edit,Read"]
        environment = {
            "ANTHROPIC_BASE_URL": place.url,
            "ANTHROPIC_AUTH_TOKEN": place.key,
            "ANTHROPIC_MODEL": place.model.name,
            "ANTHROPIC_SMALL_FAST_MODEL": place.model.name,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_MAX_RETRIES": "1",
            "DISABLE_AUTOUPDATER": "1",
        }
        if again:
            arguments.append("--continue")
        return Command(tuple(arguments), place.environment(environment), prompt)

    def making(self, model: Model, file: str, content: str) -> str:
        return please_make(file, content)

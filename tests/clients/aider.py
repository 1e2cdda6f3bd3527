"""aider: `aider --message`, which edits files by blocks in the text of the answer, on all three doors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bridge.dialect import Dialect
from tests.clients.program import Command, Model, Place, saying

VERSION = "0.86.2"
_QUIET = (
    "--edit-format=diff",
    "--yes-always",
    "--no-auto-commits",
    "--no-git",
    "--no-check-update",
    "--no-show-release-notes",
    "--no-analytics",
    "--no-pretty",
    "--no-show-model-warnings",
    "--map-tokens=0",
)


@dataclass(frozen=True, slots=True)
class Aider:
    executable: Path
    door: Dialect
    models: tuple[Model, ...]
    prefix: str
    """The provider's, in aider's model names."""
    converses: ClassVar[bool] = False
    patience: ClassVar[float] = 0
    replays_thoughts: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return f"aider-{self.door}"

    def prepare(self, place: Place) -> None:
        """All is said by arguments and environment."""

    def ask(self, place: Place, prompt: str, *, again: bool) -> Command:
        environment = {
            "OPENAI_API_BASE": f"{place.url}/v1",
            "OPENAI_API_KEY": place.key,
            "ANTHROPIC_API_BASE": place.url,
            "ANTHROPIC_API_KEY": place.key,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }
        model = f"{self.prefix}/{place.model.name}"
        arguments = (str(self.executable), "--model", model, "--weak-model", model, *_QUIET, "--message", prompt)
        return Command(arguments, place.environment(environment))

    def making(self, model: Model, file: str, content: str) -> str:
        edit = f"{file}\n```\n<<<<<<< SEARCH\n=======\n{content}\n>>>>>>> REPLACE\n```\n"
        return f"Create the file {file}. {saying(text=edit)}"


def aiders(executable: Path) -> tuple[Aider, ...]:
    """One for each door. litellm asks the Responses door for the models that it knows as such, and Chat otherwise."""
    gemini, claude = Model("gemini-3.8-flash", Dialect.CHAT), Model("claude-sonnet-5", Dialect.MESSAGES)
    codex, gpt = Model("gpt-5.2-codex", Dialect.RESPONSES), Model("gpt-5.5", Dialect.RESPONSES)
    return (
        Aider(executable, Dialect.CHAT, (gemini,), "openai"),
        Aider(executable, Dialect.RESPONSES, (codex,), "openai"),
        Aider(executable, Dialect.MESSAGES, (claude, gpt), "anthropic"),
    )

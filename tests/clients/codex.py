"""Codex CLI: `codex exec`, on the Responses door.

It knows the newest models of OpenAI's by the beginning of their names and gives them tools of its own kinds:
`apply_patch` as a custom tool to gpt-5.5, and to gpt-6 all tools inside an `additional_tools` item, `exec` among them,
which takes JavaScript. Under names that begin so the demo serves models of the other formats (`ROUTES`): these tools
cross as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from bridge.dialect import Dialect
from tests.clients.program import Command, Model, Place, please_make, saying

ROUTES = MappingProxyType(
    {
        "gpt-5.5-as-claude": "claude-sonnet-5",
        "gpt-5.5-as-gemini": "gemini-3.8-flash",
        "gpt-6-sol-as-claude": "claude-sonnet-5",
        "gpt-6-sol-as-gemini": "gemini-3.8-flash",
    }
)
_CROSSED_EXEC = "functions__exec"
"""What `exec` in its namespace is called where tools have neither namespaces nor free text."""

_SETTINGS = """\
model = "{model}"
model_provider = "gateway"
model_reasoning_effort = "medium"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.gateway]
name = "gateway"
base_url = "{url}/v1"
env_key = "GATEWAY_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
stream_idle_timeout_ms = {patience_ms}
"""


@dataclass(frozen=True, slots=True)
class Codex:
    executable: Path
    name: ClassVar[str] = "codex"
    door: ClassVar[Dialect] = Dialect.RESPONSES
    converses: ClassVar[bool] = True
    patience: ClassVar[float] = 4
    replays_thoughts: ClassVar[bool] = True
    models: ClassVar[tuple[Model, ...]] = (
        Model("claude-sonnet-5", Dialect.MESSAGES),
        Model("gpt-5.5", Dialect.RESPONSES),
        Model("gpt-6-sol", Dialect.RESPONSES),
        Model("gemini-3.8-flash", Dialect.CHAT),
        Model("gpt-5.5-as-claude", Dialect.MESSAGES),
        Model("gpt-5.5-as-gemini", Dialect.CHAT),
        Model("gpt-6-sol-as-claude", Dialect.MESSAGES),
        Model("gpt-6-sol-as-gemini", Dialect.CHAT),
    )

    def prepare(self, place: Place) -> None:
        folder = place.home / ".codex"
        folder.mkdir()
        patience_ms = round(self.patience * 1000)
        settings = _SETTINGS.format(model=place.model.name, url=place.url, patience_ms=patience_ms)
        (folder / "config.toml").write_text(settings)

    def ask(self, place: Place, prompt: str, *, again: bool) -> Command:
        arguments = [str(self.executable), "exec", "--skip-git-repo-check"]
        if again:
            arguments += ["resume", "--last"]
        return Command((*arguments, prompt), place.environment({"GATEWAY_KEY": place.key}))

    def making(self, model: Model, file: str, content: str) -> str:
        prompt = please_make(file, content)
        if not model.name.startswith("gpt-6-sol-as-"):
            return prompt
        # The simulator knows JavaScript by the tool's description and kind; behind the crossing it must be told.
        script = f"text(await tools.exec_command({{cmd: \"printf '{content}' > {file}\"}}));"
        return f"{prompt} {saying(call=_CROSSED_EXEC, arguments={'input': script})}"

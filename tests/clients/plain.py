"""One streamed request by curl at a door, and the reading of what came: its text and how it ends."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from bridge.dialect import Dialect
from tests.clients.program import Command, Place

_PATHS = MappingProxyType(
    {Dialect.CHAT: "/v1/chat/completions", Dialect.RESPONSES: "/v1/responses", Dialect.MESSAGES: "/v1/messages"}
)
_LAST = MappingProxyType(
    {Dialect.CHAT: "[DONE]", Dialect.RESPONSES: '"response.completed"', Dialect.MESSAGES: '"message_stop"'}
)
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Curl:
    executable: Path
    door: Dialect
    name: ClassVar[str] = "curl"

    def ask(self, place: Place, prompt: str) -> Command:
        """One streamed request without tools."""
        message = {"role": "user", "content": prompt}
        body: dict[str, Any] = {"model": place.model.name, "stream": True}
        match self.door:
            case Dialect.CHAT:
                body |= {"messages": [message]}
            case Dialect.RESPONSES:
                body |= {"input": [message]}
            case Dialect.MESSAGES:
                body |= {"messages": [message], "max_tokens": 4000}
        arguments = [
            str(self.executable), "--silent", "--show-error", "--fail-with-body", "--no-buffer",
            "--max-time", str(_SECONDS), "--noproxy", "*",
            "--header", f"authorization: Bearer {place.key}", "--header", "content-type: application/json",
            "--data-binary", "@-", place.url + _PATHS[self.door],
        ]  # fmt: skip
        return Command(tuple(arguments), place.environment({}), json.dumps(body))


def find_curl(door: Dialect) -> Curl | None:
    found = shutil.which("curl")
    return Curl(Path(found), door) if found else None


def stream_faults(door: Dialect, stream: str, text: str) -> Iterator[str]:
    """What is wrong with a stream that should say `text` and end properly."""
    frames = [line.removeprefix("data:").strip() for line in stream.splitlines() if line.startswith("data:")]
    if not frames or _LAST[door] not in frames[-1]:
        yield f"the stream ends with {frames[-1][:200] if frames else 'nothing'}"
    said = "".join(_text(door, json.loads(frame)) for frame in frames if frame != "[DONE]")
    if said.strip() != text:
        yield f"the stream says {said[:200]!r}"


def _text(door: Dialect, event: dict[str, Any]) -> str:
    """The answer's text in one event."""
    found: str | None = None
    match door:
        case Dialect.CHAT:
            choices = event.get("choices") or [{}]
            found = choices[0].get("delta", {}).get("content")
        case Dialect.RESPONSES:
            found = event.get("delta") if event.get("type") == "response.output_text.delta" else None
        case Dialect.MESSAGES:
            found = event.get("delta", {}).get("text") if event.get("type") == "content_block_delta" else None
    return found or ""

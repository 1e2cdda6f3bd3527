"""Asking the simulated models over loopback, and reading their event streams."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from tests.simulator.server import SimulatorServer

WEATHER: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
    "required": ["city"],
}
CHAT_WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {"name": "get_weather", "description": "Weather", "parameters": WEATHER},
}
RESPONSES_WEATHER: dict[str, Any] = {
    "type": "function",
    "name": "get_weather",
    "description": "Weather",
    "parameters": WEATHER,
}
MESSAGES_WEATHER: dict[str, Any] = {"name": "get_weather", "description": "Weather", "input_schema": WEATHER}
PNG = (  # the first bytes of a PNG of 3 x 2 pixels
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAEElEQVR4nGP8z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg=="
)


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event: its name ("" without an event line) and its decoded data, None for `[DONE]`."""

    name: str
    data: Any


@dataclass(slots=True)
class Asker:
    """A client of the Copilot API with the token of one account."""

    sim: SimulatorServer
    client: httpx.Client
    login: str = "credits"
    _token: str = ""

    @property
    def headers(self) -> dict[str, str]:
        if not self._token:
            self._token = self.sim.token(self.login)
        return {
            "authorization": f"Bearer {self._token}",
            "editor-version": "vscode/1.104.3",
            "copilot-integration-id": "vscode-chat",
            "copilot-vision-request": "true",
            "x-initiator": "user",
        }

    def post(self, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(self.sim.copilot_url + path, json=body, headers={**self.headers, **named})

    def chat(self, question: str = "hello", model: str = "gpt-4o", **more: Any) -> httpx.Response:
        return self.post("/chat/completions", {"model": model, "messages": [user(question)], **more})

    def message(self, question: str = "hello", model: str = "claude-sonnet-4.6", **more: Any) -> httpx.Response:
        return self.post("/v1/messages", {"max_tokens": 4000, "model": model, "messages": [user(question)], **more})

    def respond(self, question: Any = "hello", model: str = "gpt-5.4", **more: Any) -> httpx.Response:
        return self.post("/responses", {"model": model, "input": question, **more})


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def sim_words(**fields: Any) -> str:
    """Words in a prompt that ask for scenario fields."""
    return f" @sim{json.dumps(fields)}"


def events(response: httpx.Response) -> list[Event]:
    """The events of a streamed answer. Fails on anything that is not an event."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    return parse(response.content)


def parse(content: bytes) -> list[Event]:
    """Events out of bytes with LF or CRLF line ends; comments are skipped."""
    found = []
    for block in content.replace(b"\r\n", b"\n").split(b"\n\n"):
        name, data = "", None
        lines = [line for line in block.split(b"\n") if line and not line.startswith(b":")]
        if not lines:
            continue
        for line in lines:
            field, _, value = line.partition(b": ")
            if field == b"event":
                name = value.decode()
            else:
                assert field == b"data", line
                data = None if value == b"[DONE]" else json.loads(value)
        found.append(Event(name, data))
    return found


def chunks(response: httpx.Response) -> list[dict[str, Any]]:
    """The chunks of a chat stream without `[DONE]`."""
    return [event.data for event in events(response) if event.data is not None]


def deltas(response: httpx.Response) -> list[dict[str, Any]]:
    """The deltas of the first choice of a chat stream."""
    return [chunk["choices"][0]["delta"] for chunk in chunks(response) if chunk["choices"]]


def text_of(found: list[dict[str, Any]]) -> str:
    """The content of chat deltas."""
    return "".join(delta.get("content") or "" for delta in found)

"""The SDKs' clients, with an ear on the wire: every streamed answer must also pass its dialect's own state machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import anthropic
import httpx2
import openai
import pytest

from tests.dialects import chat_stream, messages_stream, responses_stream
from tests.gateway import Gateway


class Ear(httpx2.BaseTransport):
    """Passes everything on and keeps the streamed answers of status 200, by the path they came from."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, list[bytes]]] = []
        self._transport = httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self._transport.handle_request(request)
        if response.status_code == 200 and "event-stream" in response.headers.get("content-type", ""):
            pieces: list[bytes] = []
            self.heard.append((request.url.path, pieces))
            assert isinstance(response.stream, httpx2.SyncByteStream)
            response.stream = _Overheard(response.stream, pieces)
        return response

    def close(self) -> None:
        self._transport.close()

    def check(self) -> None:
        """Every stream that was read to its end, byte by byte against the rules of its dialect."""
        for path, pieces in self.heard:
            _VALIDATORS[path.rsplit("/", 1)[-1]](b"".join(pieces))


class _Overheard(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, pieces: list[bytes]) -> None:
        self._stream = stream
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            self._pieces.append(piece)
            yield piece

    def close(self) -> None:
        self._stream.close()


_VALIDATORS: dict[str, Callable[[bytes], object]] = {
    "completions": lambda body: chat_stream.validated(body, include_usage=b'"choices":[]' in body),
    "responses": responses_stream.validated,
    "messages": messages_stream.validated,
}


@pytest.fixture
def ear() -> Iterator[Ear]:
    listening = Ear()
    yield listening
    listening.check()


@pytest.fixture
def openai_client(gateway: Gateway, ear: Ear) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{gateway.url}/v1",
        api_key=gateway.key,
        max_retries=0,
        http_client=openai.DefaultHttpxClient(transport=ear, trust_env=False),
    ) as client:
        yield client


@pytest.fixture
def claude_client(gateway: Gateway, ear: Ear) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(
        base_url=gateway.url,
        api_key=gateway.key,
        max_retries=0,
        http_client=anthropic.DefaultHttpxClient(transport=ear, trust_env=False),
    ) as client:
        yield client


@pytest.fixture
def well_seats(gateway: Gateway) -> Iterator[None]:
    """Afterwards the seats are as before, whatever the upstream said of them."""
    yield
    gateway.manage("checkseats")
    time.sleep(1)  # what a command changes, a server sees within a second

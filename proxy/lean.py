"""The lean handler of the API doors: Django's request, URLconf and async views, without what costs a thread.

Left out, on purpose: the session, CSRF and locale middlewares, the request signals, the per-request thread context
and the temporary file for bodies. A view checks the key from the headers before it reads the body. While a body is
awaited or an answer is made, a listener waits for the client to go away and then cancels the request's task.
"""

from __future__ import annotations

import asyncio
import io
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from accounts.address import client_address
from bridge.dialect import Dialect
from bridge.errors import BadRequest, BridgeError, Shedding, TooLarge, UnknownPath, WrongMethod
from proxy.runtime import Runtime
from proxy.speech import error_response, unforeseen

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class DoorRequest(ASGIRequest):
    """Django's request with a body that is read on demand, within limits, and the process's runtime at hand."""

    def __init__(self, scope: Scope, receive: Receive, runtime: Runtime) -> None:
        if not scope["query_string"].isascii():
            # Django would take it for UTF-8 and fail; no door reads it.
            scope = {**scope, "query_string": quote(scope["query_string"], safe="=&").encode()}
        super().__init__(scope, io.BytesIO())
        self.runtime = runtime
        self.id = runtime.ids.request()
        self.opened_at = time.time()
        self.started = time.monotonic()
        self.language = ""
        self.client_gone = False
        self._receive = receive
        self._counted = 0
        self._listener: asyncio.Task[None] | None = None

    @property
    def dialect(self) -> Dialect:
        """The dialect of answers here, faults included: the path decides, on shared paths `anthropic-version`."""
        doors = self.path_info.removeprefix("/v1").split("/")
        match doors[1] if len(doors) > 1 else "":
            case "messages":
                return Dialect.MESSAGES
            case "responses":
                return Dialect.RESPONSES
            case "chat" | "embeddings":
                return Dialect.CHAT
            case _:
                return Dialect.MESSAGES if "HTTP_ANTHROPIC_VERSION" in self.META else Dialect.CHAT

    @property
    def address(self) -> str | None:
        return client_address(self)

    async def read_body(self) -> bytes:
        """The whole body. Raises TooLarge over the limit for one, Shedding over the budget for all.

        A client that goes away meanwhile cancels the request, here as later.
        """
        limits = self.runtime.limits
        declared = self.META.get("CONTENT_LENGTH", "")
        if declared.isdigit() and int(declared) > limits.body:
            raise _too_large(limits.body)
        if self.META.get("HTTP_CONTENT_ENCODING", "identity").lower() not in ("", "identity"):
            raise BadRequest("The body is compressed. Send it without a content-encoding.")
        parts: list[bytes] = []
        size = 0
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.client_gone = True
                raise asyncio.CancelledError
            part = message.get("body", b"")
            more = message.get("more_body", False)
            size += len(part)
            if size > limits.body:
                raise _too_large(limits.body)
            self._count(len(part))
            parts.append(part)
        self._listener = asyncio.get_running_loop().create_task(self._listen(asyncio.current_task()))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def release(self) -> None:
        """Give back what the request held."""
        if self._listener is not None:
            self._listener.cancel()
        self.runtime.body_bytes -= self._counted
        self._counted = 0
        # Settled by now, but for an answer that was cut off before its first piece.
        self.runtime.admission.release(self.id, None)

    def _count(self, size: int) -> None:
        if self.runtime.body_bytes + size > self.runtime.limits.body_budget:
            raise Shedding("The gateway holds too many large requests at once. Try again shortly.", retry_after=2)
        self.runtime.body_bytes += size
        self._counted += size

    async def _listen(self, task: asyncio.Task[Any] | None) -> None:
        message = await self._receive()
        if message["type"] == "http.disconnect" and task is not None:
            self.client_gone = True
            task.cancel()


class StreamedAnswer(StreamingHttpResponse):
    """A streamed answer: its pieces, and what makes the bytes that fill a silence of `keepalive_seconds`.

    `abandon` ends it when its head cannot be sent: closing pieces that were never asked for runs nothing.
    """

    def __init__(
        self,
        pieces: AsyncGenerator[bytes],
        *,
        keepalive: Callable[[], bytes],
        keepalive_seconds: float,
        abandon: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(pieces, content_type="text/event-stream; charset=utf-8")
        self.pieces = pieces
        self.keepalive = keepalive
        self.keepalive_seconds = keepalive_seconds
        self.abandon = abandon


class LeanHandler:
    def __init__(self, runtime: Runtime, urlconf: str) -> None:
        self._runtime = runtime
        self._urlconf = urlconf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._runtime.started:
            await self._runtime.start()
        request = DoorRequest(scope, receive, self._runtime)
        try:
            response = await self._answer(request)
            response.headers.setdefault("x-request-id", str(request.id))
            if request.dialect is Dialect.MESSAGES:
                response.headers["request-id"] = str(request.id)
            await _send(response, send, head_only=request.method == "HEAD")
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not request.client_gone or task is None:
                raise
            task.uncancel()
        finally:
            request.release()

    async def _answer(self, request: DoorRequest) -> HttpResponseBase:
        try:
            match = resolve(request.path_info, self._urlconf)
            request.resolver_match = match
            response: HttpResponseBase = await match.func(request, *match.args, **match.kwargs)
        except Resolver404:
            return error_response(request, UnknownPath("There is nothing at %(path)s.", {"path": request.path[:200]}))
        except BridgeError as error:
            return error_response(request, error)
        except Exception:  # the one door where everything unforeseen is said in the caller's dialect
            logger.exception("Request %s failed unforeseen", request.id)
            return error_response(request, unforeseen(request.id))
        return response


def allow(request: DoorRequest, *methods: str) -> None:
    """Raises WrongMethod unless the request's method is one of `methods`."""
    if request.method not in methods:
        raise WrongMethod(
            "%(method)s is not possible here; use %(allowed)s.",
            {"method": request.method, "allowed": " or ".join(methods)},
        )


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        "The request is larger than %(limit)d MiB. Send less context, or smaller images.", {"limit": limit // 2**20}
    )


async def _send(response: HttpResponseBase, send: Send, *, head_only: bool) -> None:
    headers = [(name.lower().encode("ascii"), value.encode("latin1")) for name, value in response.items()]
    streamed = isinstance(response, StreamingHttpResponse)
    if not streamed and "content-length" not in response:
        headers.append((b"content-length", str(len(_content(response))).encode()))
    try:
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    except BaseException:
        if isinstance(response, StreamedAnswer):
            await asyncio.shield(response.abandon())
        raise
    if isinstance(response, StreamedAnswer) and not head_only:
        await _Carrier(response, send).run()
        return
    await send({"type": "http.response.body", "body": b"" if head_only else _content(response)})


def _content(response: HttpResponseBase) -> bytes:
    return response.content if isinstance(response, HttpResponse) else b""


class _Carrier:
    """Sends the pieces of a stream and, when the client has heard nothing for a while, a keep-alive.

    One timer per stream looks now and then how long the silence is; a piece only notes the time.
    """

    def __init__(self, response: StreamedAnswer, send: Send) -> None:
        self._response = response
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._sending = False
        self._ping: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        self._arm(self._response.keepalive_seconds)
        try:
            async with aclosing(self._response.pieces) as pieces:
                async for piece in pieces:
                    await self._pass(piece)
            await self._send({"type": "http.response.body", "body": b""})
        finally:
            if self._timer is not None:
                self._timer.cancel()
            if self._ping is not None:
                self._ping.cancel()

    async def _pass(self, piece: bytes) -> None:
        if self._ping is not None:
            await self._ping
            self._ping = None
        self._sending = True
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        self._sending = False
        self._heard_at = self._loop.time()

    def _arm(self, seconds: float) -> None:
        if self._response.keepalive_seconds > 0:
            self._timer = self._loop.call_later(seconds, self._tick)

    def _tick(self) -> None:
        silence = self._loop.time() - self._heard_at
        due = self._response.keepalive_seconds - silence
        if due > 0 or self._sending:
            self._arm(max(due, 0.05))
            return
        if self._ping is None or self._ping.done():
            # Made at once, in the order of what was sent; a piece that comes now waits for it.
            self._ping = self._loop.create_task(self._say(self._response.keepalive()))
        self._arm(self._response.keepalive_seconds)

    async def _say(self, sign: bytes) -> None:
        await self._send({"type": "http.response.body", "body": sign, "more_body": True})
        self._heard_at = self._loop.time()

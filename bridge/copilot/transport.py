"""The seam to the upstream: one POST of a finished body, answered by a status, headers and raw bytes as they come.

Behind it stands httpx over an aiohttp connector, which measured best among well-kept clients (httpx's own pool
costs milliseconds of CPU a request when many run in parallel). The transport is used without httpx's client on
top: no cookies, no redirects, no environment can then touch a request that carries a bearer.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from bridge.errors import BrokenStream, TimedOut, Unreachable

CONNECT_SECONDS = 10.0
KEEPALIVE_SECONDS = 55.0


@dataclass(frozen=True, slots=True)
class UpstreamReply:
    """What came back before the body: `headers` have lower-case names, `body` yields raw packets."""

    status: int
    headers: Mapping[str, str]
    response: httpx.Response

    async def body(self) -> AsyncGenerator[bytes]:
        """The packets of the body. Raises BrokenStream when the connection is lost before its end."""
        try:
            # The raw stream itself: httpx's own iterators on top only cost time.
            async for packet in _async_stream(self.response):
                yield packet
        except (httpx.TransportError, aiohttp.ClientError, OSError) as error:
            raise BrokenStream("The upstream's answer broke off before its end. Send the request again.") from error

    async def read(self, limit: int = 1_048_576) -> bytes:
        """The whole body, at most `limit` bytes of it; meant for refusals."""
        parts: list[bytes] = []
        size = 0
        async for packet in self.body():
            parts.append(packet)
            size += len(packet)
            if size >= limit:
                break
        return b"".join(parts)[:limit]

    async def aclose(self) -> None:
        """Give the connection back, or close it when the body has not ended: the upstream sees a cancel."""
        await self.response.aclose()


def _async_stream(response: httpx.Response) -> httpx.AsyncByteStream:
    if not isinstance(response.stream, httpx.AsyncByteStream):
        raise TypeError("the upstream's transport is not asynchronous")
    return response.stream


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """Lower-case names and values; of a repeated header the last. Cheaper than httpx's own decoding."""
    return {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in headers.raw}


class Upstream:
    """A pool of kept-alive connections to the Copilot API; one per process."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport or pooled_transport()
        self._urls: dict[str, httpx.URL] = {}

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> UpstreamReply:
        """POST `body` and return once the upstream's status is known.

        No time limit for the answer stands here: the caller owns the clock. Raises Unreachable or TimedOut.
        """
        target = self._urls.get(url)
        if target is None:
            target = self._urls.setdefault(url, httpx.URL(url))
        request = httpx.Request(
            "POST",
            target,
            headers={**headers, "content-type": "application/json", "accept-encoding": "identity"},
            content=body,
            extensions={"timeout": {"connect": CONNECT_SECONDS, "read": None, "write": None, "pool": None}},
        )
        try:
            response = await self._transport.handle_async_request(request)
        except httpx.ConnectTimeout as error:
            # httpx-aiohttp reports every lost connection as a connect time-out; only the cause tells them apart.
            if isinstance(error.__cause__, aiohttp.ServerTimeoutError):
                raise TimedOut("GitHub Copilot could not be reached in time. Try again shortly.") from error
            raise Unreachable("The connection to GitHub Copilot was lost. Try again shortly.") from error
        except httpx.TimeoutException as error:
            raise TimedOut("GitHub Copilot could not be reached in time. Try again shortly.") from error
        except (httpx.TransportError, aiohttp.ClientError, OSError) as error:
            raise Unreachable("GitHub Copilot cannot be reached. Check the network, or try again shortly.") from error
        return UpstreamReply(response.status_code, _plain(response.headers), response)

    async def aclose(self) -> None:
        await self._transport.aclose()


def pooled_transport(verify: ssl.SSLContext | bool = True) -> AiohttpTransport:
    """Connections without a limit in number: a stream holds one for minutes, and waiting for one is a stall."""
    context = httpx.create_ssl_context(verify=verify)

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_SECONDS, ssl=context)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return AiohttpTransport(client=session)

"""Doors of the test's own behind the lean handler."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path

from proxy.lean import DoorRequest, StreamedAnswer


async def broken(_request: DoorRequest) -> HttpResponseBase:
    raise ZeroDivisionError("a secret of the house")


async def echo(request: DoorRequest) -> HttpResponseBase:
    return HttpResponse(await request.read_body())


async def slow(request: DoorRequest) -> HttpResponseBase:
    await request.read_body()
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        request.runtime.lessons.learn("slow", "was cancelled")
        raise
    return HttpResponse(b"too late")


async def quiet(request: DoorRequest) -> HttpResponseBase:
    async def pieces() -> AsyncGenerator[bytes]:
        yield b"first\n\n"
        await asyncio.sleep(0.35)
        yield b"last\n\n"

    async def abandon() -> None:
        request.runtime.lessons.learn("quiet", "was abandoned")

    return StreamedAnswer(pieces(), keepalive=lambda: b": ping\n\n", keepalive_seconds=0.1, abandon=abandon)


urlpatterns = [path("broken", broken), path("echo", echo), path("slow", slow), path("quiet", quiet)]

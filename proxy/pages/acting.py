"""What happens during a page's request is the act of whoever is signed in; the trail names them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import ClassVar, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase

from accounts.models import Member
from accounts.trail import acting

VISITOR = "visitor"


class Acting:
    """Middleware for both kinds of handler."""

    sync_capable: ClassVar[bool] = True
    async_capable: ClassVar[bool] = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._later(request)
        with _acting(request.user):
            return self.get_response(request)

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        with _acting(await request.auser()):
            return await cast("Awaitable[HttpResponseBase]", self.get_response(request))


def _acting(user: object) -> AbstractContextManager[None]:
    return acting(user) if isinstance(user, Member) else acting(None, VISITOR)

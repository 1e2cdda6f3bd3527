"""The database from the event loop: short synchronous functions, each in a thread.

Requests of the API doors never meet Django's request signals, and the threads of an event loop come and go, so each
piece of work opens its connection and closes it: none goes stale, none is left to a thread that ends.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def in_thread(work: Callable[Arguments, Result]) -> Callable[Arguments, Coroutine[None, None, Result]]:
    """Return `work` as a coroutine function that runs it in a thread and leaves no connection behind.

    Meant for work that happens now and then, not for every request.
    """

    @functools.wraps(work)
    def tidy(*args: Arguments.args, **options: Arguments.kwargs) -> Result:
        try:
            return work(*args, **options)
        finally:
            connections.close_all()

    return sync_to_async(tidy, thread_sensitive=False)

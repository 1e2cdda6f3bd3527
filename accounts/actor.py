"""Who acts: the person, the command or the gateway itself that the trail names.

The name is kept in a context variable: tasks and the threads that `sync_to_async` starts take it along.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.models.member import Member


@dataclass(frozen=True, slots=True)
class Actor:
    """`member` is the id of the person, if it is one."""

    member: int | None
    name: str


GATEWAY = Actor(None, "gateway")
_ACTOR: ContextVar[Actor] = ContextVar("actor", default=GATEWAY)


def current_actor() -> Actor:
    """Who acts now; the gateway, unless somebody said otherwise."""
    return _ACTOR.get()


@contextmanager
def acting(member: Member | None, name: str = "") -> Iterator[None]:
    """Let what happens within be the act of `member`, or of `name` when it is no person's."""
    actor = Actor(None, name) if member is None else Actor(member.pk, name or member.get_username())
    token = _ACTOR.set(actor)
    try:
        yield
    finally:
        _ACTOR.reset(token)

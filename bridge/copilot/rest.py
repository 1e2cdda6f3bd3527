"""One request to GitHub or Copilot that is answered in one piece, with the faults of the road named."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx

from bridge.copilot.refusals import retry_seconds
from bridge.errors import TimedOut, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (names in lower case) and body of an answer."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    def json(self) -> object:
        """Return the body as JSON, or None when it is not JSON; the content type is not asked, it often lies."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def sent_at(self) -> float | None:
        """The moment of the answer by its sender's clock, in seconds since the epoch."""
        return _moment(self.header("date"))

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait as the answer says: a span, a date, or the moment GitHub's hourly limit resets.

        Moments are held against the sender's own clock, which may differ from ours.
        """
        now = time.time() if self.sent_at is None else self.sent_at
        wait = retry_seconds(self.headers, "", now)
        reset = self.header("x-ratelimit-reset")
        if wait is None and self.header("x-ratelimit-remaining") == "0" and reset.isdecimal():
            wait = max(float(reset) - now, 0.0)
        return wait


async def send(
    http: httpx.AsyncClient, method: str, url: str, *, headers: Mapping[str, str], body: object = None
) -> Answer:
    """Return the answer whatever its status; raises Unreachable or TimedOut when there is none.

    Redirects are never followed: the headers carry a bearer, and a redirect may lead anywhere.
    """
    content = None if body is None else json.dumps(body).encode()
    try:
        reply = await http.request(method, url, headers=dict(headers), content=content, follow_redirects=False)
    except httpx.TimeoutException as error:
        raise TimedOut("No answer from %(host)s in time.", {"host": httpx.URL(url).host}) from error
    except httpx.RequestError as error:
        raise Unreachable(
            "The connection to %(host)s failed: %(fault)s.",
            {"host": httpx.URL(url).host, "fault": type(error).__name__},
        ) from error
    return Answer(reply.status_code, {name.lower(): value for name, value in reply.headers.items()}, reply.content)


def _moment(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None

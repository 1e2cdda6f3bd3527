"""How long the server works on a page, and how often it asks the database."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.db import connection, reset_queries
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Member
from tests.volume.asked import Asked

ROUNDS = 3
_BROWSER = "text/html,application/xhtml+xml"


@dataclass(frozen=True, slots=True)
class Timed:
    """Milliseconds of one core's time: the best of some rounds, and the first one with cold caches."""

    page: Asked
    status: int
    best_ms: int
    first_ms: int
    queries: int
    slowest_sql: str


def signed_in(member: Member) -> Client:
    client = Client(raise_request_exception=False, headers={"accept": _BROWSER})
    client.force_login(member)
    return client


def time_page(client: Client, page: Asked) -> Timed:
    """Ask for the page some times; the time is that of the processor, for others may share the machine."""
    spent: list[int] = []
    status = 0
    for _round in range(ROUNDS):
        before = time.process_time()
        answer = client.get(page.address)
        status = answer.status_code
        spent.append(round((time.process_time() - before) * 1000))
    reset_queries()
    with CaptureQueriesContext(connection) as asked:
        client.get(page.address)
    slowest = max(asked.captured_queries, key=lambda query: float(query["time"]), default={"sql": ""})
    return Timed(page, status, min(spent), spent[0], len(asked), str(slowest["sql"]))

"""Work on the database in threads of the event loop."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, connections

from accounts.database import in_thread
from accounts.models import Team

pytestmark = pytest.mark.django_db(transaction=True)


async def test_work_runs_off_the_loop_and_returns_its_result() -> None:
    def work(name: str, *, note: str) -> tuple[int, str]:
        Team.objects.create(name=name, note=note)
        return threading.get_ident(), Team.objects.get().note

    thread, note = await in_thread(work)("Compilers", note="from a thread")
    assert thread != threading.get_ident()
    assert note == "from a thread"


async def test_no_connection_is_left_behind_whether_the_work_succeeds_or_fails() -> None:
    seen = []

    def work(fails: bool) -> None:
        connection.ensure_connection()
        seen.append(connections["default"])
        if fails:
            raise ZeroDivisionError

    await in_thread(work)(False)
    with pytest.raises(ZeroDivisionError):
        await in_thread(work)(True)
    assert [held.connection for held in seen] == [None, None]

"""Who is alive, and what becomes of the rows of the dead."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from accounts.ledger.instances import LAPSE_SECONDS, beat, lapsed_instances, mark_abandoned, register, sign_off
from accounts.models import Instance, UsageRecord
from tests.accounts.rows import a_record

pytestmark = pytest.mark.django_db

OWN = uuid4()


def an_instance(**fields: Any) -> UUID:
    """Another machine's process, alive unless told otherwise."""
    plain = {"host": "elsewhere", "pid": 1, "heartbeat_at": timezone.now()}
    return Instance.objects.create(id=uuid4(), **{**plain, **fields}).pk


def a_row_of(instance: UUID, number: int, status: str = "open") -> UsageRecord:
    record = a_record(number, status=status)
    UsageRecord.objects.as_ledger().filter(pk=record.pk).update(instance=instance)
    return record


def status_of(record: UsageRecord) -> str:
    return UsageRecord.objects.get(pk=record.pk).status


def a_dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def long_ago() -> Any:
    return timezone.now() - timedelta(seconds=LAPSE_SECONDS + 5)


def test_an_instance_says_who_it_is_and_keeps_its_heart_beating() -> None:
    register(OWN, "1.2.3")
    row = Instance.objects.get(pk=OWN)
    assert (row.host, row.pid, row.version, row.stopped_at) == (socket.gethostname(), os.getpid(), "1.2.3", None)
    Instance.objects.filter(pk=OWN).update(heartbeat_at=long_ago())
    beat(OWN)
    row.refresh_from_db()
    assert timezone.now() - row.heartbeat_at < timedelta(seconds=5)
    sign_off(OWN)
    row.refresh_from_db()
    assert row.stopped_at is not None


def test_open_rows_of_a_heart_that_stopped_are_abandoned() -> None:
    silent, stopped = an_instance(heartbeat_at=long_ago()), an_instance(stopped_at=timezone.now())
    records = [a_row_of(silent, 1), a_row_of(silent, 2), a_row_of(stopped, 3)]
    assert mark_abandoned(OWN) == 3
    assert {status_of(record) for record in records} == {"abandoned"}
    assert UsageRecord.objects.filter(settled_at=None).count() == 0
    assert mark_abandoned(OWN) == 0


def test_rows_that_ended_stay_as_they_are() -> None:
    silent = an_instance(heartbeat_at=long_ago())
    settled = a_row_of(silent, 1, "settled")
    a_row_of(silent, 2)
    assert mark_abandoned(OWN) == 1
    assert status_of(settled) == "settled"


def test_rows_of_the_living_and_ones_own_are_left_alone() -> None:
    register(OWN, "1")
    Instance.objects.filter(pk=OWN).update(heartbeat_at=long_ago())
    living = an_instance()
    records = [a_row_of(OWN, 1), a_row_of(living, 2)]
    assert mark_abandoned(OWN) == 0
    assert {status_of(record) for record in records} == {"open"}


def test_a_process_of_this_machine_that_is_gone_lapses_at_once() -> None:
    dead = an_instance(host=socket.gethostname(), pid=a_dead_pid())
    record = a_row_of(dead, 1)
    assert lapsed_instances(OWN) == [dead]
    assert mark_abandoned(OWN) == 1
    assert status_of(record) == "abandoned"


def test_a_process_of_this_machine_that_lives_does_not() -> None:
    a_row_of(an_instance(host=socket.gethostname(), pid=os.getppid()), 1)
    a_row_of(an_instance(host=socket.gethostname(), pid=1), 2)
    assert lapsed_instances(OWN) == []


def test_an_earlier_instance_under_this_very_pid_is_gone() -> None:
    earlier = an_instance(host=socket.gethostname(), pid=os.getpid())
    a_row_of(earlier, 1)
    assert lapsed_instances(OWN) == [earlier]


def test_the_pid_of_another_machine_says_nothing() -> None:
    a_row_of(an_instance(host="elsewhere", pid=a_dead_pid()), 1)
    assert lapsed_instances(OWN) == []

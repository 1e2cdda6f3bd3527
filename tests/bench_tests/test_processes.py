"""What a process tree uses, where it runs, and that it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.processes import Cores, end, free_port, on_core, start, usage_of

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")

BUSY_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "sum(range(3_000_000)); print('done', flush=True); input()"],
                         stdin=subprocess.PIPE)
sys.stdin.read()
child.communicate(b"")
"""


@linux_only
def test_the_use_of_a_tree_includes_its_children() -> None:
    process = start([sys.executable, "-c", BUSY_CHILD], None)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        usage = usage_of(process.pid)
        alone = Path(f"/proc/{process.pid}/statm").read_text().split()[1]
        assert usage is not None
        assert usage.cpu > 0
        assert usage.rss > int(alone) * os.sysconf("SC_PAGESIZE")
        assert usage.threads == 2
    finally:
        assert process.stdin is not None
        process.stdin.close()
        end(process)


@linux_only
def test_the_use_of_a_process_that_is_gone_is_nothing() -> None:
    process = start([sys.executable, "-c", ""], None)
    end(process)
    usage = usage_of(process.pid)
    assert usage is not None
    assert (usage.cpu, usage.rss, usage.threads) == (0, 0, 0)


@linux_only
def test_a_process_runs_on_its_core_and_the_caller_stays_where_it_was() -> None:
    before = os.sched_getaffinity(0)
    core = max(before)
    with on_core(core):
        said = subprocess.run(
            [sys.executable, "-c", "import os; print(os.sched_getaffinity(0))"],
            capture_output=True,
            text=True,
            check=True,
        )
    assert said.stdout.strip() == str({core})
    assert os.sched_getaffinity(0) == before


@linux_only
def test_gateway_and_load_get_two_cores_or_none() -> None:
    cores = Cores.of_this_machine()
    several = len(os.sched_getaffinity(0)) > 1
    assert (cores.measured != cores.load) is several
    assert (cores.measured is None) is not several


def test_a_process_that_does_not_want_to_end_is_killed() -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    process = start([sys.executable, "-c", stubborn], None)
    assert process.stdout is not None
    assert process.stdout.readline() == b"deaf\n"
    end(process, seconds=0.2)
    assert process.poll() == -9


def test_what_a_logged_process_says_goes_to_its_file(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = start([sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr)"], None, log=log)
    process.wait(10)
    assert sorted(log.read_text().split()) == ["err", "out"]


def test_a_free_port_can_be_listened_on() -> None:
    assert 0 < free_port() < 65_536

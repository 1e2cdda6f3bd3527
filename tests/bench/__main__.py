"""`python -m tests.bench`: measures the gateway beside a direct connection and prints the tables.

Ends with 1 when an answer was wrong or something did not start, never because something was slow.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from tests.bench.gateway import running_gateway
from tests.bench.measuring import measure
from tests.bench.nginx import nginx_binary, running_nginx
from tests.bench.plan import Form, full_form, short_form
from tests.bench.probe import faults_of
from tests.bench.processes import Cores, allow_many_files, on_core
from tests.bench.report import report
from tests.bench.upstream import Target, Upstream, running_upstream
from tests.bench.waiting import NotStartedError

_CLEARING_UP = 4.0
"""Seconds kept back from the form's limit to end the processes."""


def main() -> int:
    options = _options()
    form = short_form(options.rounds) if options.short else full_form(options.rounds)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    try:
        text, right = bench(form, with_gateway=not options.no_gateway)
    except NotStartedError as failure:
        print(f"Not started: {failure}", file=sys.stderr)
        return 1
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    return 0 if right else 1


def bench(form: Form, *, with_gateway: bool) -> tuple[str, bool]:
    """The report, and whether every answer was right. Raises NotStartedError."""
    give_up = time.monotonic() + form.limit - _CLEARING_UP
    allow_many_files()
    cores = Cores.of_this_machine()
    with ExitStack() as running:
        running.enter_context(on_core(cores.load))
        _tell("starting what is measured")
        upstream = running.enter_context(running_upstream(cores.load))
        targets, remarks = _targets(running, upstream, cores, with_gateway)
        faults = [fault for target in targets for fault in faults_of(target)]
        results = measure(form, targets, upstream, cores.load, give_up, _tell)
    text = report(form, [target.name for target in targets], results, cores, remarks, faults)
    return text, not faults and not results.wrong_answers()


def _targets(
    running: ExitStack, upstream: Upstream, cores: Cores, with_gateway: bool
) -> tuple[list[Target], list[str]]:
    """What is measured, started, and remarks on what is not."""
    targets, remarks = [upstream.direct], []
    binary = nginx_binary()
    if binary:
        targets.append(running.enter_context(running_nginx(binary, upstream, cores.measured)))
    else:
        remarks.append("nginx is not installed here, so its rows are missing.")
    if with_gateway:
        targets.append(running.enter_context(running_gateway(upstream, cores.measured)))
    else:
        remarks.append("The gateway was left out at the caller's wish.")
    return targets, remarks


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures the gateway.")
    parser.add_argument("--short", action="store_true", help="a look in at most a minute (full: eight)")
    parser.add_argument("--rounds", type=int, help="rounds of interleaved measurements (short 1, full 3)")
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="write the report there, too")
    parser.add_argument("--no-gateway", action="store_true", help="measure what is there without the gateway")
    return parser.parse_args()


def _tell(what: str) -> None:
    print(f"… {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

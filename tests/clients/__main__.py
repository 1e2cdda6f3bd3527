"""`python -m tests.clients`: install the client programs, start the demo, try each program with each model."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bridge.dialect import Dialect
from tests.bench.waiting import NotStartedError
from tests.clients.codex import ROUTES
from tests.clients.demo import Demo
from tests.clients.installing import Found, InstallFailed, Skipped, cache_folder, install
from tests.clients.plain import find_curl
from tests.clients.program import Program
from tests.clients.report import line_of, table_of
from tests.clients.story import Outcome, Story
from tests.clients.tee import Tee


def main() -> int:
    """0 when every step went well; 1 when one failed, or, with --strict, when a program was skipped."""
    options = _options().parse_args()
    try:
        found = install(cache_folder())
        chosen = [program for program in found.programs if _is_wanted(program.name, options.client)]
        outcomes = _outcomes(chosen, options) if chosen else []
    except (InstallFailed, NotStartedError) as error:
        say(f"FAILED: {error}")
        return 1
    say(table_of(outcomes))
    skipped = _skipped(found)
    for skip in skipped:
        say(f"SKIPPED: {skip.name}: {skip.reason}")
    failed = sum(bool(outcome.faults) for outcome in outcomes)
    say(f"clients: {len(outcomes) - failed} passed, {failed} failed, {len(skipped)} skipped")
    return 1 if failed or (options.strict and skipped) else 0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _outcomes(programs: list[Program], options: argparse.Namespace) -> list[Outcome]:
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="bridge-clients-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        (folder / "data").mkdir()
        with Demo(folder / "data", ROUTES) as demo, Tee(demo.gateway.port) as tee:
            for outcome in _told(programs, demo, tee, folder, options):
                say(line_of(outcome))
                outcomes.append(outcome)
    return outcomes


def _told(
    programs: list[Program], demo: Demo, tee: Tee, folder: Path, options: argparse.Namespace
) -> Iterator[Outcome]:
    crossed: set[tuple[Dialect, Dialect]] = set()
    for program in programs:
        for model in program.models:
            if not _is_wanted(model.name, options.model):
                continue
            story = Story(program, model, demo, tee, folder / program.name / model.name, options.timeout)
            yield from story.steps()
            if (program.door, model.upstream) not in crossed:
                crossed.add((program.door, model.upstream))
                yield from _once_a_crossing(program, story)


def _once_a_crossing(program: Program, story: Story) -> Iterator[Outcome]:
    if program.patience:
        yield from story.silences()
    if curl := find_curl(program.door):
        yield story.by_curl(curl)


def _is_wanted(name: str, wanted: list[str]) -> bool:
    return not wanted or any(name.startswith(prefix) for prefix in wanted)


def _skipped(found: Found) -> tuple[Skipped, ...]:
    missing = () if find_curl(Dialect.CHAT) else (Skipped("curl", "it is not installed"),)
    return found.skipped + missing


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tests/clients/run", description=__doc__)
    parser.add_argument("--strict", action="store_true", help="a program that cannot be had is a failure")
    parser.add_argument("--client", action="append", default=[], metavar="NAME", help="only programs so called")
    parser.add_argument("--model", action="append", default=[], metavar="NAME", help="only models so called")
    parser.add_argument("--timeout", type=float, default=120, metavar="SECONDS", help="for one step")
    return parser


if __name__ == "__main__":
    sys.exit(main())

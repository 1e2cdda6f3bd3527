"""The replay by command: `python -m tests.replay [--requests N] [--seed S] [--kills K] [--report FILE]`.

Prints a summary and every violation; the exit status is 1 when there was one. `--json FILE` writes what ended otherwise
than well, one by one, for machines; `--database postgres://…` names an empty database to use instead of SQLite.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.replay.audit import audit
from tests.replay.report import as_json, markdown, summary
from tests.replay.run import Plan, replay


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.replay", description="Prove that the money adds up.")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", default="1", help="the same seed asks the same")
    parser.add_argument("--kills", type=int, default=5, help="how often the gateway is killed by kill -9")
    parser.add_argument("--parallel", type=int, default=40, help="requests under way at a time")
    parser.add_argument("--database", default="", metavar="URL", help="an empty PostgreSQL database")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the whole report as Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the requests that are named one by one")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="use this empty folder and leave it behind")
    asked = parser.parse_args(arguments)
    plan = Plan(asked.requests, asked.seed, asked.kills, asked.parallel, asked.database)
    since = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="replay-") as folder:
        evidence = asyncio.run(replay(plan, asked.keep or Path(folder), say=_say))
    verdict = audit(evidence)
    seconds = time.monotonic() - since
    print(summary(plan, evidence, verdict, seconds))
    if asked.report is not None:
        asked.report.write_text(markdown(plan, evidence, verdict, seconds))
    if asked.json is not None:
        asked.json.write_text(as_json(plan, verdict))
    return 1 if verdict.violations else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

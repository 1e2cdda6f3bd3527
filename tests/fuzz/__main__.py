"""Fuzzing by command: `python -m tests.fuzz --count N [--seed S]`; the exit status is 1 when something was found.

python -m tests.fuzz                                  10 000 cases: spoilt upstream answers, spoilt requests
python -m tests.fuzz --only streams --seed 7 --case 5 one case again, shown and with its traceback
python -m tests.fuzz --only bodies --url URL --key KEY against a gateway that runs elsewhere
"""

from __future__ import annotations

import argparse
import sys

from tests.fuzz.runs import WEIGHTS, Plan, run_all, show


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Spoil what comes in, and watch.")
    parser.add_argument("--count", type=int, default=10_000, help="how many cases in all")
    parser.add_argument("--seed", default="1", help="the same seed gives the same cases")
    parser.add_argument("--only", choices=tuple(WEIGHTS), help="one kind of them")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--case", type=int, help="run this one case and show it")
    parser.add_argument("--url", default="", help="a running gateway for the bodies; without it one is started")
    parser.add_argument("--key", default="", help="an API key of that gateway")
    asked = parser.parse_args(arguments)
    kinds = (asked.only,) if asked.only else tuple(WEIGHTS)
    plan = Plan(asked.count, asked.seed, kinds, asked.jobs, asked.url, asked.key)
    if asked.case is not None:
        show(plan, asked.case)
        return 0
    findings, seconds = run_all(plan)
    print(f"{asked.count} cases in {seconds:.0f} s, seed {asked.seed}: {sum(findings.counts.values())} faults")
    print(findings.report())
    return 1 if findings.counts else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

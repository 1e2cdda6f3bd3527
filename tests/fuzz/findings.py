"""What a run found: each kind of fault once, with the case that shows it again."""

from __future__ import annotations

import re
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent.parent
_VARIES = re.compile(r"[0-9]+|'[^']*'|\"[^\"]*\"|b'[^']*'")


@dataclass(frozen=True, slots=True)
class Finding:
    """`place` is the deepest line of the project that the fault came through."""

    kind: str
    number: int
    seed: str
    said: str
    place: str

    @property
    def replay(self) -> str:
        return f"python -m tests.fuzz --only {self.kind} --seed {self.seed} --case {self.number}"


def found(kind: str, seed: str, number: int, fault: BaseException) -> Finding:
    steps = [step for step in traceback.extract_tb(fault.__traceback__) if step.filename.startswith(str(_ROOT))]
    own = [step for step in steps if "/.venv" not in step.filename]
    inner = [step for step in own if "/tests/" not in step.filename] or own
    place = f"{Path(inner[-1].filename).relative_to(_ROOT)}:{inner[-1].lineno}" if inner else "?"
    return Finding(kind, number, seed, f"{type(fault).__name__}: {fault}"[:600], place)


@dataclass(slots=True)
class Findings:
    """Sorted by kind, place and sentence without its particulars."""

    firsts: dict[tuple[str, str, str], Finding] = field(default_factory=dict)
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        sort, _, sentence = finding.said.partition(":")
        key = (finding.kind, finding.place, _VARIES.sub("#", sentence)[:60] if sort == "AssertionError" else sort)
        self.counts[key] += 1
        self.firsts.setdefault(key, finding)

    def report(self) -> str:
        lines = []
        for key, count in self.counts.most_common():
            finding = self.firsts[key]
            lines += [f"{count} × {finding.place}  {finding.said}", f"    {finding.replay}"]
        return "\n".join(lines)

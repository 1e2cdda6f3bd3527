"""What is tried with each program and model, step by step, and what must be true after each step.

    answer      a prompt is answered, and the answer's words reach the terminal
    file        a tool (or an edit) makes a real file with the content that was asked for
    next turn   the conversation is resumed; its earlier turns and the model's thoughts come back upstream
    silence     the model is silent for longer than the program waits for an event, at first and in the middle
    late head   the upstream is silent for so long before its answer begins
    curl        the same crossing once more, streamed, by a program that hides nothing

After every step the ledger's rows are settled with tokens, and what is booked is what was billed.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.processes import ROOT
from tests.clients.demo import HEAD_SECONDS, Demo
from tests.clients.evidence import Witness, thoughts_replayed
from tests.clients.plain import Curl, stream_faults
from tests.clients.program import Command, Ended, Model, Place, Program, execute, saying
from tests.clients.tee import Tee

_FILE = "note.txt"
_TAIL = 800
_BEYOND = 2
"""Seconds that a silence lasts longer than a program's patience."""
_Act = Callable[[Witness], tuple[Ended, list[str]]]
_EVIDENCE = ROOT / "test-results" / "clients"


@dataclass(frozen=True, slots=True)
class Outcome:
    program: str
    model: Model
    step: str
    seconds: float
    faults: tuple[str, ...]


class Story:
    """The steps of one program with one model, in a scratch home and project below `folder`."""

    def __init__(self, program: Program, model: Model, demo: Demo, tee: Tee, folder: Path, seconds: float) -> None:
        self._program = program
        self._demo = demo
        self._tee = tee
        self._seconds = seconds
        home, project = folder / "home", folder / "project"
        home.mkdir(parents=True)
        project.mkdir()
        self._place = Place(home, project, tee.url, demo.gateway.key, model)
        program.prepare(self._place)

    def steps(self) -> Iterator[Outcome]:
        yield self._step("answer", self._answer)
        yield self._step("file", self._file)
        if self._program.converses:
            yield self._step("next turn", self._next_turn)

    def silences(self) -> Iterator[Outcome]:
        """For a program whose patience is known."""
        pause = self._program.patience + _BEYOND
        yield self._step(
            "silence", self._waiting({"ttft_ms": pause * 1000, "fault": "stall", "after": 2, "seconds": pause})
        )
        yield self._step("late head", self._waiting({"fault": "slow_headers", "seconds": HEAD_SECONDS + pause}))

    def by_curl(self, curl: Curl) -> Outcome:
        text = f"Plainly {_word('curl')} it is."
        prompt = f"Say it. {saying(text=text)}"

        def ask(witness: Witness) -> tuple[Ended, list[str]]:
            ended = self._executed(curl.ask(self._place, prompt))
            return ended, [*_exit_faults(ended), *stream_faults(curl.door, ended.said, text)]

        return self._step("curl", ask)

    def _step(self, name: str, act: _Act) -> Outcome:
        self._tee.taken()
        witness = Witness(self._demo)
        ended, faults = act(witness)
        faults += witness.faults(self._program.door, self._place.model)
        outcome = Outcome(self._program.name, self._place.model, name, ended.seconds, tuple(faults))
        if faults:
            self._keep(outcome, ended, witness)
        return outcome

    def _answer(self, witness: Witness) -> tuple[Ended, list[str]]:
        word = _word("answer")
        ended = self._ask(f"What is the word? {saying(text=f'The word is {word}.')}")
        return ended, _exit_faults(ended) + _missing(word, ended)

    def _file(self, witness: Witness) -> tuple[Ended, list[str]]:
        content = f"violet {_word('harbour')}"
        ended = self._ask(self._program.making(self._place.model, _FILE, content))
        file = self._place.project / _FILE
        if not file.is_file():
            return ended, [*_exit_faults(ended), f"{_FILE} was not made"]
        held = file.read_text().strip()
        return ended, _exit_faults(ended) + ([] if held == content else [f"{_FILE} holds {held[:200]!r}"])

    def _next_turn(self, witness: Witness) -> tuple[Ended, list[str]]:
        word = _word("again")
        ended = self._ask(f"And what is the word now? {saying(text=f'Now it is {word}.')}", again=True)
        faults = _exit_faults(ended) + _missing(word, ended)
        last = witness.generations()[-1:]
        if not last or _FILE not in json.dumps(last[0]["parsed"]):
            faults.append("the earlier turn does not come back upstream")
        elif self._program.replays_thoughts and not thoughts_replayed(self._place.model.upstream, last[0]["parsed"]):
            faults.append("the model's thoughts do not come back upstream")
        return ended, faults

    def _waiting(self, pauses: Mapping[str, object]) -> _Act:
        def act(witness: Witness) -> tuple[Ended, list[str]]:
            word = _word("patience")
            ended = self._ask(f"Take your time. {saying(text=f'At last it is {word}.', **pauses)}")
            return ended, _exit_faults(ended) + _missing(word, ended)

        return act

    def _ask(self, prompt: str, *, again: bool = False) -> Ended:
        return self._executed(self._program.ask(self._place, prompt, again=again))

    def _executed(self, command: Command) -> Ended:
        return execute(command, self._place.project, self._seconds)

    def _keep(self, outcome: Outcome, ended: Ended, witness: Witness) -> None:
        """Write down all that was said on all sides of a step that failed."""
        folder = _EVIDENCE / f"{outcome.program}-{outcome.model.name}-{outcome.step}".replace(" ", "-")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "faults.txt").write_text("\n".join(outcome.faults) + "\n")
        (folder / "terminal.txt").write_text(ended.said)
        for number, exchange in enumerate(self._tee.taken()):
            (folder / f"{number:02d}-asked.http").write_bytes(exchange.asked)
            (folder / f"{number:02d}-answered.http").write_bytes(exchange.answered)
        (folder / "ledger.json").write_text(json.dumps(witness.rows(), indent=1, default=str))
        (folder / "upstream.json").write_text(json.dumps(witness.generations(), indent=1))


def _exit_faults(ended: Ended) -> list[str]:
    if ended.status == 0:
        return []
    reason = "did not end in time" if ended.status is None else f"exit status {ended.status}"
    return [f"{reason}: {ended.said.strip()[-_TAIL:]}"]


def _missing(word: str, ended: Ended) -> list[str]:
    return [] if word in ended.said else ["the answer does not reach the terminal"]


def _word(stem: str) -> str:
    """A word that no earlier run has said."""
    return f"{stem}{time.time_ns() % 1_000_000:06d}"

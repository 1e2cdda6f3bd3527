"""Composing: the body and headers of one try, for text and for embeddings; and what a refusal teaches for the next.

Whoever sends (`attempts.py`) knows nothing of formats: it asks a composer for a body, and tells it what was refused.
"""

from __future__ import annotations

import hashlib
from typing import Protocol, assert_never

from django.conf import settings

from bridge.asked import Asked, Written
from bridge.carrier import Carriers
from bridge.crossing import Crossing
from bridge.errors import BadRequest
from bridge.lesson import Efforts, Need, RefusedField, WrongEndpoint, read_lesson
from bridge.target import Repair, Target, WireProfile
from proxy.plan import Plan
from proxy.runtime import Runtime

# Where ciphertexts and signatures stand in the three dialects.
_SEALS = (b'"signature"', b'"redacted_thinking"', b'"encrypted_content"', b'"reasoning_opaque"')
# What a conversation that had to leave its seat cannot take along.
_LEFT_BEHIND = "reasoning"


class Composer(Protocol):
    plan: Plan

    def compose(self) -> tuple[Written, dict[str, str]]:
        """A body and the headers that belong to it, new for every try."""

    def mend(self, error: BadRequest) -> bool:
        """Whether another try, composed differently, may go through where the last was refused with `error`."""


class TextComposer:
    """Composes a request for text. `crossing` is that of the last try, for its reply to take; None before the first."""

    def __init__(self, runtime: Runtime, plan: Plan, asked: Asked, betas: tuple[str, ...] = ()) -> None:
        self.plan = plan
        self.crossing: Crossing | None = None
        self._runtime = runtime
        self._asked = asked
        self._betas = betas
        is_foreign = plan.moved and _is_sealed(asked)
        self._repairs: frozenset[Repair] = frozenset({Repair.STRIP_REASONING} if is_foreign else ())
        self._left_behind = (_LEFT_BEHIND,) if is_foreign else ()
        self._tried = {plan.endpoint}

    def compose(self) -> tuple[Written, dict[str, str]]:
        plan = self.plan
        profile = self._runtime.limits.wire_profile(plan.model.id)
        binding = f"{plan.model.id}|{profile}|{plan.seat.id}"
        carriers = Carriers(_carrier_key(), binding)
        crossing = Crossing(self._asked, plan.upstream, self._target(profile), carriers, self._betas)
        written = crossing.write()
        self.crossing = crossing
        return Written(written.body, written.dropped + self._left_behind), crossing.headers

    def mend(self, error: BadRequest) -> bool:
        lesson = read_lesson(str(error), error.upstream_code)
        lessons, model = self._runtime.lessons, self.plan.model.id
        match lesson:
            case None:
                return False
            case WrongEndpoint():
                return self._move()
            case RefusedField() if not lesson.is_top_level:
                return self._need(Repair.REBUILD)
            case RefusedField(name):
                is_news = name not in lessons.refused(model)
                lessons.learn(model, name)
                return is_news and name in lessons.refused(model)
            case Efforts(listed):
                is_news = lessons.efforts(model) != listed
                lessons.learn_efforts(model, listed)
                return is_news
            case Need(repair):
                return self._need(repair)
            case _:
                assert_never(lesson)

    def _need(self, repair: Repair) -> bool:
        is_news = repair not in self._repairs
        self._repairs |= {repair}
        return is_news

    def _move(self) -> bool:
        """The live list named an endpoint that refuses the model, or this use of it: take another."""
        other = self.plan.elsewhere(self._asked.dialect, self._tried)
        if other is None:
            return False
        self._tried.add(other.endpoint)
        self.plan = other
        return True

    def _target(self, profile: WireProfile) -> Target:
        model, lessons = self.plan.model, self._runtime.lessons
        efforts = lessons.efforts(model.id)
        told = f"{self._asked.dialect}|{self.plan.session}|{model.id}"
        return Target(
            model=model.id,
            vendor=model.vendor,
            family=model.family or model.id,
            max_output_tokens=model.max_output_tokens,
            efforts=model.reasoning_efforts if efforts is None else efforts,
            refused=lessons.refused(model.id),
            adaptive_thinking=model.adaptive_thinking,
            min_thinking_budget=model.min_thinking_budget,
            max_thinking_budget=model.max_thinking_budget,
            structured_outputs=model.structured_outputs,
            parallel_calls=model.parallel,
            max_images=model.max_images,
            profile=profile,
            recovers_calls=model.id.startswith(self._runtime.limits.recovering),
            cache_key=hashlib.sha256(told.encode()).hexdigest()[:32],
            repairs=self._repairs,
        )


class BatchComposer:
    """Composes one batch of an embeddings request: the body is ready, nothing in it can be mended."""

    def __init__(self, plan: Plan, body: bytes) -> None:
        self.plan = plan
        self._body = body

    def compose(self) -> tuple[Written, dict[str, str]]:
        return Written(self._body), {}

    def mend(self, error: BadRequest) -> bool:
        return False


def _is_sealed(asked: Asked) -> bool:
    """Whether the history may hold what only the seat that made it can read; a false alarm costs a rebuilt body."""
    return any(mark in bytes(entry) for entry in asked.entries for mark in _SEALS)


def _carrier_key() -> bytes:
    return hashlib.sha256(b"reasoning carriers\0" + settings.SECRET_KEY.encode()).digest()

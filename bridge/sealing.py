"""Sealing: the model's own proofs and ciphertexts on their way to a caller of another dialect and back.

Only a seal that the upstream itself speaks goes upstream: carriers are opened first, and reasoning under a seal of
another kind, of another model or account, or under none that can be read is left out. Quirk foreign-seals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from msgspec import structs

from bridge.carrier import Carriers, is_carrier
from bridge.dialect import Dialect
from bridge.events import Event, PartOpened, ReasoningHead, Sealed
from bridge.parts import NATIVE_SEAL, Compaction, Part, Reasoning, Seal, SealKind
from bridge.prompt import Prompt, Turn

_LOST_COMPACTION = "compaction"
_LOST_REASONING = "reasoning"


def is_native(kind: SealKind, dialect: Dialect) -> bool:
    """Whether `dialect` has a place for seals of this kind."""
    return kind is NATIVE_SEAL[dialect] or (kind is SealKind.REDACTED and dialect is Dialect.MESSAGES)


def open_seals(prompt: Prompt, upstream: Dialect, carriers: Carriers) -> Prompt:
    """The prompt with the reasoning and compactions that `upstream` can read, their seals as it made them.

    Reasoning that is left out is no loss that a caller could mind; a compaction stands for earlier turns, so it is
    named. Reasoning without any seal stays for Chat alone.
    """

    def readable(part: Part) -> Part | None:
        match part:
            case Reasoning():
                return _readable(part, upstream, carriers)
            case Compaction(ciphertext=ciphertext) if ciphertext:
                seal = _opened(Seal(SealKind.CIPHERTEXT, ciphertext), carriers)
                is_fit = seal is not None and seal.kind is SealKind.CIPHERTEXT and upstream is Dialect.RESPONSES
                return _compaction(part, seal.value if seal is not None and is_fit else "")
        return part

    return _sifted(prompt, readable)


def strip_reasoning(prompt: Prompt) -> Prompt:
    """The prompt without anything sealed, for the repair of that name; a compaction that is lost with it is named."""

    def unsealed(part: Part) -> Part | None:
        match part:
            case Reasoning():
                return None
            case Compaction():
                return _compaction(part, "")
        return part

    return _sifted(prompt, unsealed)


class SealWrapper:
    """Gives the reply's seals a shape that the caller's dialect carries; `dropped` names what it could not."""

    def __init__(self, caller: Dialect, carriers: Carriers) -> None:
        self._caller = caller
        self._carriers = carriers
        self._reasons = False
        self.dropped: tuple[str, ...] = ()

    def feed(self, event: Event) -> list[Event]:
        """The same event; a seal foreign to the caller as a carrier, or nothing when it is too long for one.

        A compaction's ciphertext stays as it is: what has no compaction says so when it is written.
        """
        match event:
            case PartOpened(head):
                self._reasons = isinstance(head, ReasoningHead)
            case Sealed(seal) if self._reasons and not is_native(seal.kind, self._caller):
                carrier = self._carriers.wrap(seal)
                if carrier is None:
                    self.dropped = (_LOST_REASONING,)
                    return []
                return [Sealed(Seal(NATIVE_SEAL[self._caller], carrier))]
        return [event]


def _readable(part: Reasoning, upstream: Dialect, carriers: Carriers) -> Reasoning | None:
    if part.seal is None:
        return part if upstream is Dialect.CHAT else None
    seal = _opened(part.seal, carriers)
    if seal is None or not is_native(seal.kind, upstream):
        return None
    return part if seal is part.seal else structs.replace(part, seal=seal)


def _opened(seal: Seal, carriers: Carriers) -> Seal | None:
    """The seal, or the one inside it when it is a carrier; a carrier inside a carrier is nobody's."""
    if not is_carrier(seal.value):
        return seal
    inner = carriers.open(seal.value)
    return None if inner is None or is_carrier(inner.value) else inner


def _compaction(part: Compaction, ciphertext: str) -> Compaction | None:
    if not ciphertext and not part.text:
        return None
    return part if ciphertext == part.ciphertext else structs.replace(part, ciphertext=ciphertext)


def _sifted(prompt: Prompt, sift: Callable[[Part], Part | None]) -> Prompt:
    """The parts that `sift` leaves; a turn of which nothing is left goes with them."""
    turns: list[Turn] = []
    dropped = list(prompt.dropped)
    for turn in prompt.turns:
        if not any(isinstance(part, Reasoning | Compaction) for part in turn.parts):
            turns.append(turn)
            continue
        sifted = [(part, sift(part)) for part in turn.parts]
        if any(isinstance(part, Compaction) and left is None for part, left in sifted):
            dropped.append(_LOST_COMPACTION)
        parts = tuple(left for _, left in sifted if left is not None)
        if parts:
            turns.append(Turn(turn.role, parts))
    return replace(prompt, turns=tuple(turns), dropped=tuple(dict.fromkeys(dropped)))

"""What a format room must know of the model that a request goes to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Target:
    """The model as the upstream's live list describes it, and what it was found to refuse.

    `efforts` is None when the list says nothing of reasoning efforts, and empty when the model takes none;
    `refused` names top-level request fields that the upstream refused for this model lately.
    """

    model: str
    vendor: str = ""
    family: str = ""
    max_output_tokens: int | None = None
    efforts: tuple[str, ...] | None = None
    refused: frozenset[str] = field(default_factory=frozenset)

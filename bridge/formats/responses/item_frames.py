"""What readers look at of an event, and the reader of items that are passed over."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from bridge.events import Event

ITEM_DONE = "response.output_item.done"


# Beyond all items that an answer can have.
Index = Annotated[int, msgspec.Meta(ge=0, le=100_000)]


class Frame(msgspec.Struct):
    """The members of an event that readers look at."""

    type: str = ""
    output_index: Index | None = None
    content_index: Index | None = None
    summary_index: Index | None = None
    delta: Any = None
    text: Any = None
    refusal: Any = None
    arguments: Any = None
    input: Any = None
    item: Any = None
    part: Any = None
    annotation: Any = None
    logprobs: Any = None

    @property
    def shown(self) -> dict[str, Any]:
        """The item, as far as the frame shows it."""
        return self.item if isinstance(self.item, dict) else {}


class ItemReader:
    """Reads nothing out of an item of a kind unknown here; the known kinds are below."""

    def __init__(self) -> None:
        self.is_done = False
        self.calls = False

    def read(self, frame: Frame, events: list[Event]) -> None:
        if frame.type == ITEM_DONE:
            self.is_done = True


def objects_in(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, whatever else is in it."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text_in(value: Any) -> str:
    return value if isinstance(value, str) else ""


def rest_of(whole: Any, said: str) -> str:
    """What `whole` says beyond what was said; nothing when it contradicts that."""
    return whole[len(said) :] if isinstance(whole, str) and whole.startswith(said) else ""

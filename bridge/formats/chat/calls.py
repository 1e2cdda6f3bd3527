"""Chat Completions, tool calls of a streamed answer: told apart, numbered, and watched for an endless one."""

from __future__ import annotations

from typing import Any

from bridge.errors import BrokenStream

BLANK_LIMIT = 64 * 1024


class CallNumbers:
    """Calls are told apart by id; a delta without one belongs to the call before it. Numbers count from 0.

    `spare_id` is what the id of a call is made of that has none.
    """

    def __init__(self, spare_id: str) -> None:
        self.spare_id = spare_id
        self._numbers: dict[str, int] = {}
        self._last: int | None = None
        self._bare: set[int] = set()
        self._blank = 0

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def bare(self) -> list[int]:
        """The numbers of the functions that no arguments came for."""
        return sorted(self._bare)

    def read(self, call: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """The delta of a call as a client may see it, and the size of its text. Quirk chat-tool-index.

        Raises BrokenStream: see `_watch`.
        """
        call_id = call.get("id")
        custom = call.get("custom")
        kind, field = ("custom", "input") if isinstance(custom, dict) else ("function", "arguments")
        said = call.get(kind)
        said = said if isinstance(said, dict) else {}
        text = said.get(field)
        text = text if isinstance(text, str) else ""
        self._watch(text)
        is_new = isinstance(call_id, str) and call_id != "" and call_id not in self._numbers
        if not is_new and self._last is not None:
            index = self._numbers.get(call_id, self._last) if isinstance(call_id, str) else self._last
            if text:
                self._bare.discard(index)
            return {"index": index, kind: {field: text}}, len(text)
        index = len(self._numbers)
        name = call_id if isinstance(call_id, str) and call_id else f"call_{self.spare_id[-24:]}_{index}"
        self._numbers[name] = self._last = index
        if not text and kind == "function":
            self._bare.add(index)
        title = said.get("name")
        named = {"name": title if isinstance(title, str) else "", field: text}
        head = {"index": index, "id": name, "type": kind, kind: named}
        return head, len(text)

    def _watch(self, text: str) -> None:
        """Quirk chat-blank-arguments: a model that writes nothing but blanks into a call will not find out of it."""
        self._blank = self._blank + len(text) if not text or text.isspace() else 0
        if self._blank > BLANK_LIMIT:
            raise BrokenStream("The model filled a tool call with blanks and would not stop. Send the request again.")

"""Tool names: the name that each tool of a request has upstream, and whose tool a name in the reply means.

Upstreams take `^[a-zA-Z0-9_-]{1,64}$` and reserve a few names; only Responses knows namespaces. A name that cannot
go as it is gets cleaned, shortened and a hash of what it stood for, so that it is the same in every turn of a
conversation. Quirk tool-names.
"""

from __future__ import annotations

import hashlib
import re
from itertools import count

from msgspec import Struct

from bridge.parts import CallKind

_FIT = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_UNFIT = re.compile(r"[^a-zA-Z0-9_-]")
_STEM = 55
_RESERVED_FUNCTIONS = frozenset({"tool_search"})
_RESERVED_NAMESPACES = frozenset({"collaboration"})


class Sent(Struct, frozen=True):
    """A tool's name upstream."""

    name: str
    namespace: str = ""


class Origin(Struct, frozen=True):
    """A tool as its caller knows it; `wrapped` says that it is a custom tool which goes upstream as a function."""

    name: str
    namespace: str = ""
    wrapped: bool = False


class ToolNames:
    """Gives out names. `flat` folds the namespace into the name."""

    def __init__(self, *, flat: bool, wraps: bool) -> None:
        self._flat = flat
        self._wraps = wraps
        self._sent: dict[tuple[str, str], Sent] = {}
        self._namesakes: dict[str, list[Sent]] = {}
        self.origins: dict[Sent, Origin] = {}
        """Only of the names that a reply must be changed for."""
        self._taken: set[Sent] = set()

    def declare(self, name: str, namespace: str, kind: CallKind) -> Sent | None:
        """The name of a tool of this request; None when it was declared before."""
        key = (namespace, name)
        if key in self._sent:
            return None
        sent = self._free(name, namespace)
        self._taken.add(sent)
        self._sent[key] = sent
        self._namesakes.setdefault(name, []).append(sent)
        self._remember(sent, Origin(name, namespace, self._is_wrapped(kind)))
        return sent

    def of(self, name: str, namespace: str = "") -> Sent | None:
        """The name of a declared tool; one that is called without its namespace is found when there is only one."""
        found = self._sent.get((namespace, name))
        namesakes = self._namesakes.get(name, ()) if not namespace else ()
        return namesakes[0] if found is None and len(namesakes) == 1 else found

    def mention(self, name: str, namespace: str, kind: CallKind) -> Sent:
        """The name of a tool that was called earlier, declared or not."""
        found = self.of(name, namespace)
        if found is not None:
            return found
        sent = self._fitted(name, namespace)
        if sent not in self._taken:
            self._remember(sent, Origin(name, namespace, self._is_wrapped(kind)))
        return sent

    def _is_wrapped(self, kind: CallKind) -> bool:
        return self._wraps and kind is CallKind.CUSTOM

    def _remember(self, sent: Sent, origin: Origin) -> None:
        if origin.wrapped or (sent.name, sent.namespace) != (origin.name, origin.namespace):
            self.origins.setdefault(sent, origin)

    def _free(self, name: str, namespace: str) -> Sent:
        sent = self._fitted(name, namespace)
        for salt in count():
            if sent not in self._taken:
                break
            sent = Sent(_hashed(sent.name, f"{namespace}\0{name}\0{salt}"), sent.namespace)
        return sent

    def _fitted(self, name: str, namespace: str) -> Sent:
        if self._flat:
            return Sent(_fit(f"{namespace}__{name}" if namespace else name, frozenset()))
        group = _fit(namespace, _RESERVED_NAMESPACES) if namespace else ""
        return Sent(_fit(name, _RESERVED_FUNCTIONS), group)


def _fit(name: str, reserved: frozenset[str]) -> str:
    return name if _FIT.fullmatch(name) and name not in reserved else _hashed(name, name)


def _hashed(name: str, key: str) -> str:
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{_UNFIT.sub('_', name)[:_STEM] or 'tool'}_{digest}"

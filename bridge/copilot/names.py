"""Model names as clients write them, matched against the ids the upstream lists.

Clients send `claude-sonnet-4-5-20250929`, `claude-opus-4-6[1m]` or `github_copilot/gpt-5-1-codex`; Copilot lists
`claude-sonnet-4.5`, `claude-opus-4.6-1m`, `gpt-5.1-codex`. Only spelling is forgiven here: date, `-latest`,
provider, letter case, punctuation. A different version or family is never chosen; that is what routes are for.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PROVIDER = re.compile(r"^(?:(?:github[_-])?copilot/\s*)+")
LONG_CONTEXT = "[1m]"
DATE = re.compile(r"-(?:20\d{2}-[01]\d-[0-3]\d|20\d{2}[01]\d[0-3]\d)$")
DASHED_VERSION = re.compile(r"-(\d)-(\d)(?!\d)")
PUNCTUATION = re.compile(r"[-._:\s]")
LIKENESS = 0.4


def normalise(name: str) -> str:
    """Return the name in lower case, without provider, date, `-latest` and `[1m]`, with dots in its version."""
    here, before = _plain(name), ""
    while here != before:
        before = here
        here = DATE.sub("", here.removesuffix(LONG_CONTEXT).removesuffix("-latest")).strip()
    return DASHED_VERSION.sub(r"-\1.\2", here)


def match(name: str, live_ids: Iterable[str]) -> str | None:
    """Return the live id that is the same model, or None. An id that is live as it stands is never changed."""
    ids = sorted(live_ids)
    if name in ids:
        return name
    plain, wanted = _plain(name), normalise(name)
    by_spelling = {live.lower(): live for live in reversed(ids)}
    spellings = [plain, wanted]
    if plain.endswith(LONG_CONTEXT):
        spellings.insert(1, f"{wanted}-1m")
    for spelling in spellings:
        if spelling in by_spelling:
            return by_spelling[spelling]
    return _match_dated(plain, wanted, ids) or _match_folded(wanted, ids)


def nearest(name: str, live_ids: Iterable[str], n: int = 3) -> list[str]:
    """Return up to `n` live ids that look most like the name, best first, to be named in a refusal."""
    by_spelling = {live.lower(): live for live in live_ids}
    return [by_spelling[close] for close in difflib.get_close_matches(normalise(name), by_spelling, n, LIKENESS)]


def _plain(name: str) -> str:
    here = name.strip().lower()
    return PROVIDER.sub("", here)


def _match_dated(plain: str, wanted: str, ids: list[str]) -> str | None:
    """Return the newest dated id of a model asked for without a date; one date is never swapped for another."""
    if DATE.search(plain.removesuffix(LONG_CONTEXT)):
        return None
    dated = [live for live in ids if DATE.search(live.lower()) and normalise(live) == wanted]
    return max(dated, default=None)


def _match_folded(wanted: str, ids: list[str]) -> str | None:
    folded = PUNCTUATION.sub("", wanted)
    found = [live for live in ids if PUNCTUATION.sub("", live.lower()) == folded]
    return found[0] if len(found) == 1 and folded else None

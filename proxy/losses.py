"""Names of what was lost, as they may stand in a header and a ledger row.

Some come out of the caller's own body (members nobody knows), so they may hold anything and be of any length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_FITTING = re.compile(r"[A-Za-z0-9_.:/\[\]-]{1,64}")
_MOST = 32
OTHERS = "others"


def speakable(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once; those that fit nowhere, and those beyond the 32nd, are `others`."""
    told = dict.fromkeys(name if _FITTING.fullmatch(name) else OTHERS for name in names)
    if len(told) <= _MOST:
        return tuple(told)
    return (*(name for name in list(told)[:_MOST] if name != OTHERS), OTHERS)

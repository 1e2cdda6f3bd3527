"""Names with `*` as a wildcard, as routes and allow-lists use them."""

from __future__ import annotations

from fnmatch import fnmatchcase


def fits(pattern: str, name: str) -> bool:
    """Whether `name` is what `pattern` names; `*` alone is a wildcard, `[1m]` is a part of model names."""
    return fnmatchcase(name, pattern.replace("[", "[[]").replace("?", "[?]")) if "*" in pattern else pattern == name

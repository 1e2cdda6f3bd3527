"""The gateway's version, as CHANGELOG.md tells it."""

from __future__ import annotations

VERSION = "0.1.0"

"""A disk that fills up when told."""

from __future__ import annotations

import sqlite3

from django.db.backends.base.base import BaseDatabaseWrapper


class Disk:
    """SQLite's own limit on the file's size, for the connections that are opened meanwhile."""

    def __init__(self) -> None:
        self.full = False
        self._open: list[sqlite3.Connection] = []

    def watch(self, connection: BaseDatabaseWrapper, **_context: object) -> None:
        assert isinstance(connection.connection, sqlite3.Connection)
        self._open.append(connection.connection)
        self._limit(connection.connection)

    def fill(self) -> None:
        self.full = True
        for each in self._open:
            self._limit(each)

    def clear(self) -> None:
        """Connections that failed were closed; the next one finds room."""
        self.full = False

    def _limit(self, raw: sqlite3.Connection) -> None:
        if self.full:
            pages = raw.execute("PRAGMA page_count").fetchone()[0]
            raw.execute(f"PRAGMA max_page_count = {pages}")

"""`python -m tests.matrix`: write the table of what crosses into the README; a test holds it there."""

from __future__ import annotations

from tests.matrix.table import README, with_table

if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")

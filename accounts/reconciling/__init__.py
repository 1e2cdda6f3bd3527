"""GitHub's own counters of the seats held against the ledger."""

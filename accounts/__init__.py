"""What the gateway remembers: members, keys, seats, routes, the ledger."""

"""Two million rows: how long every page of the console and the portal takes with a ledger of that size."""

"""Amounts of money as text: nano-AIU told in credits."""

from __future__ import annotations

from accounts.models.usage_record import NANO_PER_CREDIT


def credits_of(nano: int) -> str:
    """Return nano-AIU in credits, exact and without an exponent: `1.2345`."""
    whole, rest = divmod(abs(nano), NANO_PER_CREDIT)
    digits = f"{whole}.{rest:09d}".rstrip("0").rstrip(".")
    return f"-{digits}" if nano < 0 else digits


def fixed_credits(nano: int) -> str:
    """Return nano-AIU in credits with all nine decimals: `1.234500000`."""
    return f"{nano // NANO_PER_CREDIT}.{nano % NANO_PER_CREDIT:09d}"

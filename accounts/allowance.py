"""What a key or a team may do, as the request path holds it in memory; empty limits admit everything."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.models import Door
from accounts.models.wildcard import fits
from bridge.errors import Forbidden

if TYPE_CHECKING:
    from accounts.models import Limited

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Allowance:
    """`doors`, `models` and `networks` say what, the numbers how much: per minute, or at once; None is no limit."""

    doors: frozenset[str] = frozenset()
    models: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent_requests: int | None = None

    @classmethod
    def of(cls, row: Limited) -> Allowance:
        """Raises ValueError or TypeError when the row's limits cannot be read."""
        return cls(
            doors=frozenset(row.doors),
            models=tuple(row.models),
            networks=tuple(ipaddress.ip_network(address, strict=False) for address in row.addresses),
            requests_per_minute=row.requests_per_minute,
            tokens_per_minute=row.tokens_per_minute,
            concurrent_requests=row.concurrent_requests,
        )

    @property
    def is_counted(self) -> bool:
        """Whether requests must be counted at all."""
        return not (self.requests_per_minute is self.tokens_per_minute is self.concurrent_requests is None)

    def check_door(self, door: str, address: str | None) -> None:
        """Raises Forbidden when `door` may not be entered, or not from `address`."""
        is_named = door in self.doors
        if (self.doors and not is_named) or (door == Door.MANAGEMENT and not is_named):
            raise Forbidden("This key may not use %(door)s. Ask the gateway's owner for one that may.", {"door": door})
        self.check_address(address)

    def check_address(self, address: str | None) -> None:
        """Raises Forbidden when the allowance does not hold for `address`."""
        if self.networks and not _is_within(address, self.networks):
            raise Forbidden("This key may not be used from your address. Ask the gateway's owner.")

    def check_model(self, *names: str) -> None:
        """Raises Forbidden when none of `names` (as requested, as served) is allowed."""
        if self.models and not any(fits(pattern, name) for name in names for pattern in self.models):
            raise Forbidden(
                "This key may not use the model %(model)s; it may use: %(allowed)s.",
                {"model": names[0], "allowed": ", ".join(self.models)},
                param="model",
            )


EVERYTHING = Allowance()


def _is_within(address: str | None, networks: tuple[Network, ...]) -> bool:
    if address is None:
        return False
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)

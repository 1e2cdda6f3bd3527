"""Where a request comes from: the peer, or what a trusted proxy in front says."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """The caller's address. `X-Forwarded-For` is believed from TRUSTED_PROXIES alone, read from its right end."""
    peer = _parsed(request.META.get("REMOTE_ADDR", ""))
    trusted: Sequence[str] = settings.TRUSTED_PROXIES
    if peer is None or not trusted or not _is_trusted(peer, trusted):
        return peer
    for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        address = _parsed(hop.strip())
        if address is None:
            return peer
        if not _is_trusted(address, trusted):
            return address
        peer = address
    return peer


def _parsed(text: str) -> str | None:
    """The address as it is compared: a socket for both families shows IPv4 peers as `::ffff:10.0.0.1`."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _is_trusted(address: str, trusted: Sequence[str]) -> bool:
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False) for network in trusted)

"""Whose address a request has, with and without proxies in front."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from accounts.address import client_address


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "address"),
    [
        # Nobody is trusted: what the peer says counts for nothing.
        ([], "203.0.113.5", None, "203.0.113.5"),
        ([], "203.0.113.5", "198.51.100.9", "203.0.113.5"),
        (["10.0.0.0/8"], "203.0.113.5", "198.51.100.9", "203.0.113.5"),
        # A trusted proxy: the last hop it names.
        (["10.0.0.0/8"], "10.0.0.1", "198.51.100.9", "198.51.100.9"),
        (["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 198.51.100.9", "198.51.100.9"),
        (["10.0.0.1"], "10.0.0.1", " 198.51.100.9 ", "198.51.100.9"),
        (["10.0.0.0/8"], "10.0.0.1", None, "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "", "10.0.0.1"),
        # A chain of them: the last hop that is not one of ours.
        (["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 198.51.100.9, 10.0.0.3, 10.0.0.2", "198.51.100.9"),
        (["10.0.0.0/8"], "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        # Nonsense is not read past.
        (["10.0.0.0/8"], "10.0.0.1", "198.51.100.9, unknown", "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "unknown, 10.0.0.2", "10.0.0.2"),
        # IPv6, and IPv4 on a socket of both families.
        (["fd00::/8"], "fd00::1", "2001:DB8::5", "2001:db8::5"),
        (["127.0.0.0/8"], "::ffff:127.0.0.1", "198.51.100.9", "198.51.100.9"),
        ([], "::ffff:203.0.113.5", None, "203.0.113.5"),
        # No address at all: a Unix socket.
        (["10.0.0.0/8"], "", "198.51.100.9", None),
        ([], "unix:", None, None),
    ],
)
def test_the_address_is_the_last_one_that_somebody_trusted_vouches_for(
    trusted: list[str], peer: str, forwarded: str | None, address: str | None, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = trusted
    request = RequestFactory().get("/", REMOTE_ADDR=peer)
    if forwarded is not None:
        request.META["HTTP_X_FORWARDED_FOR"] = forwarded
    assert client_address(request) == address

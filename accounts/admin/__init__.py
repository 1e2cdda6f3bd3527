"""The console: what owners change and auditors read, one file per model.

Django discovers this package as the admin of `accounts`; importing the files registers them.
"""

from __future__ import annotations

from accounts.admin import (
    api_key,
    budget,
    catalogue_copy,
    correction,
    device_login,
    instance,
    member,
    model_route,
    price,
    reconciliation,
    reports,
    seat,
    stored_replies,
    team,
    trail,
    usage_record,
)

__all__ = [
    "api_key",
    "budget",
    "catalogue_copy",
    "correction",
    "device_login",
    "instance",
    "member",
    "model_route",
    "price",
    "reconciliation",
    "reports",
    "seat",
    "stored_replies",
    "team",
    "trail",
    "usage_record",
]

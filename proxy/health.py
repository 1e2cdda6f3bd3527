"""Alive, and ready: what a load balancer and a person ask first."""

from __future__ import annotations

import time

import msgspec
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from proxy.lean import DoorRequest, allow


async def alive(request: DoorRequest) -> HttpResponseBase:
    """GET /healthz: the process answers. Also `HEAD /`, by which Claude Code probes a gateway."""
    allow(request, "GET", "HEAD")
    return _json({"status": "ok"}, 200)


async def ready(request: DoorRequest) -> HttpResponseBase:
    """GET /readyz: 200 when requests can be served, else 503 with everything that is missing, in words.

    `notes` tell what is worse than it should be and keeps nobody from being served.
    """
    allow(request, "GET", "HEAD")
    missing = what_is_missing(request)
    notes = [fault for fault in (request.runtime.admission.fault,) if fault]
    told = {"status": "not ready" if missing else "ready", "missing": missing, "notes": notes}
    return _json(told, 503 if missing else 200)


def what_is_missing(request: DoorRequest) -> list[str]:
    runtime = request.runtime
    missing = [fault for fault in (runtime.directory.fault, runtime.ledger.fault) if fault]
    snapshot, now = runtime.directory.snapshot, time.time()
    if not snapshot.seats:
        missing.append(f"no GitHub seat is connected: open {runtime.limits.device_page}")
    elif not any(seat.is_usable(now) for seat in snapshot.seats):
        states = ", ".join(f"{seat.name} {seat.state.replace('_', ' ')}" for seat in snapshot.seats[:5])
        missing.append(f"no GitHub seat is usable now: {states}")
    return missing


def _json(value: object, status: int) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(value), status=status, content_type="application/json")

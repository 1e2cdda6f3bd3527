"""The probe reads whole answers and names what is wrong with them."""

from __future__ import annotations

import asyncio

from tests.bench.probe import faults_of
from tests.bench.upstream import Target, Upstream
from tests.simulator.fast import FastUpstream


async def faults(*, repairs: bool, path: str = "/copilot/chat/completions") -> list[str]:
    upstream = FastUpstream()
    await upstream.start()
    direct = Upstream(upstream.url, 0).direct
    target = Target("road", direct.port, path, "key", None, repairs)
    found = await asyncio.to_thread(faults_of, target)
    upstream.stop()
    return found


async def test_the_direct_road_is_right_as_it_is() -> None:
    assert await faults(repairs=False) == []


async def test_a_gateway_that_repairs_nothing_is_found_out() -> None:
    found = await faults(repairs=True)
    assert found == [
        "road, claude-sonnet-4.5, unstreamed: has no object, id or model",
        "road, claude-sonnet-4.5, streamed: has a chunk without object, id or model",
    ]


async def test_a_refusal_is_told_with_its_words() -> None:
    found = await faults(repairs=False, path="/nowhere")
    assert len(found) == 4
    assert all(fault.endswith(": 404 404 page not found\n") for fault in found)

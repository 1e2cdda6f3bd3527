"""The gateway before the benchmark's upstream, started as its user would start it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.upstream import Target, Upstream
from tests.gateway import Gateway

_GITHUB_TOKEN = "ghu_" + "b" * 36


@contextmanager
def running_gateway(upstream: Upstream, core: int | None) -> Iterator[Target]:
    """The gateway before that upstream, until the block ends. Raises NotStartedError."""
    with tempfile.TemporaryDirectory(prefix="bench-gateway-") as name:
        # Without routes: the models that are measured stay what they are called.
        gateway = Gateway(Path(name), upstream.url, MODEL_MAPPING="{}")
        gateway.set_up(_GITHUB_TOKEN)
        try:
            gateway.serve(core, path="/readyz")
            yield Target("gateway", gateway.port, "/v1/chat/completions", gateway.key, gateway.pid, repairs=True)
        finally:
            gateway.stop()

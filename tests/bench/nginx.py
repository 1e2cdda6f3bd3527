"""nginx as a plain proxy before the same upstream: what a program in between costs at the least."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.processes import end, free_port, start
from tests.bench.upstream import UPSTREAM_PATH, Target, Upstream
from tests.bench.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONFIG = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 10000000;
    upstream copilot {{ server {upstream}; keepalive 1024; keepalive_requests 10000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://copilot;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""


def nginx_binary() -> str | None:
    """Where nginx is, if it is."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")


@contextmanager
def running_nginx(binary: str, upstream: Upstream, core: int | None) -> Iterator[Target]:
    """nginx in a folder of its own, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="bench-nginx-") as name:
        folder, port = Path(name), free_port()
        config = folder / "nginx.conf"
        address = upstream.url.removeprefix("http://")
        config.write_text(_CONFIG.format(folder=folder, upstream=address, port=port))
        log = folder / "output.log"
        process = start([binary, "-p", name, "-e", str(folder / "error.log"), "-c", str(config)], core, log=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/_fast/stats", process, log, seconds=10)
            yield Target("nginx", port, UPSTREAM_PATH, "nginx", process.pid)
        finally:
            end(process)

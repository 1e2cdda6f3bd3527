"""`python -m tests.volume [--rows N] [--folder PATH]`: fill a database, ask for every page, say how long each took.

Ends with 1 when a page takes more than a second of one core's time, or does not answer with 200. A folder that holds
a database already is used as it is.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.volume.database import migrate, set_up

LIMIT_MS = 1000
_DATABASE = "bridge.sqlite3"


def main() -> int:
    arguments = _arguments()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="bridge-volume-"))
    is_new = not (folder / _DATABASE).exists()
    try:
        set_up(folder)
        return _run(arguments, is_new)
    finally:
        if arguments.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


def _run(arguments: argparse.Namespace, is_new: bool) -> int:
    # Models can be imported only now that Django is set up.
    from tests.volume.asked import pages
    from tests.volume.timing import signed_in, time_page
    from tests.volume.world import Size, build, found

    if is_new:
        migrate()
        begun = time.monotonic()
        world = build(Size(rows=arguments.rows, days=arguments.days))
        print(f"{arguments.rows:,} requests of {arguments.days} days written in {time.monotonic() - begun:.0f} s\n")
    else:
        world = found()
    owner, member = signed_in(world.owner), signed_in(world.member)
    print("| page | ms | first ms | queries |\n|---|--:|--:|--:|")
    slow = []
    for page in pages(world):
        if arguments.only and arguments.only not in page.name:
            continue
        timed = time_page(member if page.is_members else owner, page)
        note = "" if timed.status == 200 else f" ({timed.status})"
        print(f"| {page.name}{note} | {timed.best_ms} | {timed.first_ms} | {timed.queries} |", flush=True)
        if timed.best_ms > arguments.limit or note:
            slow.append(timed)
    for timed in slow:
        print(f"\n{timed.page.name}: {timed.best_ms} ms, status {timed.status}")
        print(f"  {timed.page.address}\n  {timed.slowest_sql}")
    print(f"\n{len(slow)} pages took more than {arguments.limit} ms or failed." if slow else "\nEvery page was quick.")
    return 1 if slow else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.volume", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--folder", type=Path, help="where the database is or shall be kept; default: a temporary one")
    parser.add_argument("--only", default="", help="only pages whose name holds this text")
    parser.add_argument("--limit", type=int, default=LIMIT_MS, help="milliseconds that a page may take")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

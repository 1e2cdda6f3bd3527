"""What /v1/messages refuses about cache_control, wherever it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulator import errors
from tests.simulator.generate.families import claude_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulator.catalogue import Model
    from tests.simulator.generate.message_rules import Clerk

_MOST = 4
_TOP_LEVEL_SINCE = 4.6


def check_cache_control(body: dict[str, Any], model: Model, clerk: Clerk) -> None:
    """Refuse `scope`, `ttl` without its beta, more than four breakpoints, and the top-level form on older models."""
    top = body.get("cache_control")
    version, line = claude_version(model)
    if top is not None and (version < _TOP_LEVEL_SINCE or (version == _TOP_LEVEL_SINCE and line != "opus")):
        raise errors.bare("cache_control: Extra inputs are not permitted")
    found = list(_found(body))
    for path, control in found:
        for key in control:
            if key == "ttl" and clerk.has("extended-cache-ttl-"):
                continue
            if key != "type":
                raise clerk.extra(f"{path}.cache_control.ephemeral.{key}")
        if control.get("type") != "ephemeral":
            raise clerk.refusal(f"{path}.cache_control.type: Input should be 'ephemeral'")
    number = len(found) + (top is not None)
    if number > _MOST:
        raise clerk.refusal(f"A maximum of {_MOST} blocks with cache_control may be provided. Found {number}.")


def _found(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, tool in enumerate(body.get("tools") or ()):
        if isinstance(tool, dict) and tool.get("cache_control"):
            yield f"tools.{number}.{tool.get('type') or 'custom'}", tool["cache_control"]
    yield from _in_blocks(body.get("system"), "system")
    for number, message in enumerate(body["messages"]):
        if isinstance(message, dict):
            yield from _in_blocks(message.get("content"), f"messages.{number}.content")


def _in_blocks(blocks: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, block in enumerate(blocks if isinstance(blocks, list) else ()):
        if not isinstance(block, dict):
            continue
        here = f"{path}.{number}"
        if block.get("cache_control"):
            yield here, block["cache_control"]
        if block.get("type") == "tool_result":
            yield from _in_blocks(block.get("content"), f"{here}.content")

"""What /v1/messages refuses in a conversation's history: calls without results, results without calls, and thinking
blocks that are foreign, changed, adjacent or last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulator import errors
from tests.simulator.generate.seals import Kind, Verdict, digest, mark_of

if TYPE_CHECKING:
    from tests.simulator.generate.message_rules import Clerk

_THINKING = ("thinking", "redacted_thinking")


def check_history(messages: list[dict[str, Any]], clerk: Clerk) -> None:
    """Refuse the first message that does not fit its neighbours."""
    latest = max((n for n, message in enumerate(messages) if message["role"] == "assistant"), default=-1)
    for number, message in enumerate(messages):
        blocks = _blocks(message)
        if message["role"] == "assistant":
            _check_order(blocks, number, clerk, latest=number == latest)
            _check_answered(blocks, messages, number)
        else:
            _check_asked(blocks, messages, number)


def _blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    return content if isinstance(content, list) else []


def _ids(blocks: list[dict[str, Any]], kind: str, name: str) -> list[str]:
    return [str(block.get(name)) for block in blocks if block.get("type") == kind]


def _check_answered(blocks: list[dict[str, Any]], messages: list[dict[str, Any]], number: int) -> None:
    calls = _ids(blocks, "tool_use", "id")
    following = _blocks(messages[number + 1]) if number + 1 < len(messages) else []
    missing = [call for call in calls if call not in _ids(following, "tool_result", "tool_use_id")]
    if missing:
        raise errors.capi(
            400,
            "invalid_request_body",
            f"messages.{number}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the next "
            "message.",
        )


def _check_asked(blocks: list[dict[str, Any]], messages: list[dict[str, Any]], number: int) -> None:
    before = messages[number - 1] if number else None
    calls = _ids(_blocks(before), "tool_use", "id") if before and before["role"] == "assistant" else []
    orphans = [result for result in _ids(blocks, "tool_result", "tool_use_id") if result not in calls]
    if orphans:
        raise errors.capi(
            400,
            "invalid_request_body",
            f"messages.{number}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: "
            f"{', '.join(orphans)}. Each `tool_result` block must have a corresponding `tool_use` block in "
            "the previous message.",
        )


def _check_order(blocks: list[dict[str, Any]], number: int, clerk: Clerk, *, latest: bool) -> None:
    kinds = [block.get("type") for block in blocks]
    if kinds and kinds[-1] in _THINKING:
        raise clerk.refusal(f"messages.{number}: The final block in an assistant message cannot be `thinking`.")
    if "tool_use" in kinds and any(kind != "tool_use" for kind in kinds[kinds.index("tool_use") :]):
        raise clerk.refusal(f"messages.{number}: `tool_use` blocks must be the last blocks of an assistant message.")
    for index, block in enumerate(blocks):
        if block.get("type") not in _THINKING:
            continue
        if latest and index and kinds[index - 1] in _THINKING:
            raise _changed(number, index, clerk)
        _check_signature(block, number, index, clerk)


def _check_signature(block: dict[str, Any], number: int, index: int, clerk: Clerk) -> None:
    path = f"messages.{number}.content.{index}"
    redacted = block["type"] == "redacted_thinking"
    blob = block.get("data" if redacted else "signature")
    if not isinstance(blob, str) or clerk.seals.verdict(Kind.SIGNATURE, blob) is not Verdict.OURS:
        raise clerk.refusal(f"{path}: Invalid `{'data' if redacted else 'signature'}` in `{block['type']}` block")
    if not redacted and mark_of(blob) != digest(block.get("thinking") or ""):
        raise _changed(number, index, clerk)


def _changed(number: int, index: int, clerk: Clerk) -> Exception:
    return clerk.refusal(
        f"messages.{number}.content.{index}: `thinking` or `redacted_thinking` blocks in the latest assistant message "
        "cannot be modified. These blocks must remain as they were in the original response."
    )

"""What /responses refuses in the input items: unknown fields, foreign ids, ciphertexts out of place, unpaired calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulator import errors
from tests.simulator.generate.seals import Kind, Seals, Verdict, digest, mark_of
from tests.simulator.generate.tool_rules import check_image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.simulator.catalogue import Model
    from tests.simulator.wire import Refusal

_FIELDS: Mapping[str, frozenset[str]] = {
    "message": frozenset({"role", "content", "status", "phase"}),
    "reasoning": frozenset({"summary", "content", "encrypted_content", "status"}),
    "function_call": frozenset({"call_id", "name", "arguments", "status", "namespace"}),
    "function_call_output": frozenset({"call_id", "output", "status"}),
    "custom_tool_call": frozenset({"call_id", "name", "input", "status", "namespace"}),
    "custom_tool_call_output": frozenset({"call_id", "output", "status"}),
    "compaction": frozenset({"encrypted_content"}),
    "additional_tools": frozenset({"role", "tools"}),
    "web_search_call": frozenset({"action", "status"}),
    "tool_search_call": frozenset({"call_id", "arguments", "status", "execution"}),
    "tool_search_output": frozenset({"call_id", "tools", "status", "execution"}),
    "local_shell_call": frozenset({"call_id", "action", "status"}),
    "local_shell_call_output": frozenset({"call_id", "output", "status"}),
    "agent_message": frozenset({"author", "content", "recipient"}),
    "compaction_trigger": frozenset(),
    "item_reference": frozenset(),
}
_PREFIX = {
    "reasoning": "rs",
    "message": "msg",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "web_search_call": "ws",
}
_PARTS = ("input_text", "input_image", "input_file", "output_text", "refusal", "encrypted_content")
_SAID = ("output_text", "refusal")
_ROLES = ("user", "assistant", "system", "developer")
_LONGEST_CALL = 64


def check_input(items: list[dict[str, Any]], model: Model, seals: Seals, others: tuple[str, ...]) -> None:
    """Raise the Refusal of the first item that is not acceptable."""
    for number, item in enumerate(items):
        path = f"input[{number}]"
        _check_shape(item, path)
        if item["type"] == "item_reference":
            raise errors.capi(404, "not_found", f"Item with id '{item.get('id')}' not found.")
        if item["type"] == "message":
            _check_message(item, path, model)
        _check_id(item, path, seals, others)
        if item.get("encrypted_content"):
            _check_cipher(item, seals)
    _check_pairs(items, "function_call", "function_call_output", "function call")
    _check_pairs(items, "custom_tool_call", "custom_tool_call_output", "custom tool call")


def _bad(message: str, param: str, code: str = "invalid_request_body") -> Refusal:
    return errors.capi(400, code, message, param=param)


def _check_shape(item: dict[str, Any], path: str) -> None:
    kind = str(item.get("type"))
    if kind not in _FIELDS:
        raise _bad(f"Invalid value: '{kind}'.", path, "invalid_value")
    for name in item:
        if name not in ("id", "type") and name not in _FIELDS[kind]:
            raise _bad(f"Unknown parameter: '{path}.{name}'.", f"{path}.{name}", "unknown_parameter")
    call_id = item.get("call_id")
    if isinstance(call_id, str) and len(call_id) > _LONGEST_CALL:
        raise _bad(
            f"Invalid '{path}.call_id': string too long. Expected a string with maximum length {_LONGEST_CALL}, but "
            f"got a string with length {len(call_id)} instead.",
            f"{path}.call_id",
            "string_above_max_length",
        )


def _check_message(item: dict[str, Any], path: str, model: Model) -> None:
    if item.get("role") not in _ROLES:
        raise _bad(f"Invalid value: '{item.get('role')}'.", f"{path}.role", "invalid_value")
    content = item.get("content")
    if not isinstance(content, str | list):
        raise _bad(f"Missing required parameter: '{path}.content'.", f"{path}.content", "missing_required_parameter")
    allowed = _SAID if item["role"] == "assistant" else _PARTS
    for number, part in enumerate(content if isinstance(content, list) else ()):
        if part.get("type") not in allowed:
            listed = ", ".join(f"'{name}'" for name in allowed)
            raise _bad(
                f"Invalid value: '{part.get('type')}'. Supported values are: {listed}.",
                f"{path}.content[{number}]",
                "invalid_value",
            )
        if part["type"] == "input_image":
            check_image(part.get("image_url") or "", model)


def _check_id(item: dict[str, Any], path: str, seals: Seals, others: tuple[str, ...]) -> None:
    item_id, prefix = item.get("id"), _PREFIX.get(item["type"])
    if item_id is None or prefix is None:
        return
    if not isinstance(item_id, str):
        raise _bad(f"Invalid type for '{path}.id'.", f"{path}.id", "invalid_type")
    verdict = seals.verdict(Kind.ITEM, item_id, others)
    if verdict is Verdict.OTHER_ACCOUNT:
        raise errors.capi(400, "invalid_request_body", "input item ID does not belong to this connection")
    if verdict is Verdict.OURS or (item["type"] == "message" and item_id.startswith("msg")):
        return
    if not item_id.startswith(prefix):
        raise _bad(
            f"Invalid '{path}.id': '{item_id}'. Expected an ID that begins with '{prefix}'.",
            f"{path}.id",
            "invalid_value",
        )
    if item["type"] == "reasoning" and not item.get("encrypted_content"):
        raise _bad(
            f"Item with id '{item_id}' not found. Items are not persisted when `store` is set to false. Try again with "
            "`store` set to true, or remove this item from your input.",
            "input",
        )


def _check_cipher(item: dict[str, Any], seals: Seals) -> None:
    """A ciphertext must be of this account, and of the item id it comes with when it comes with one."""
    blob, item_id = str(item["encrypted_content"]), item.get("id")
    lead = (
        f"The encrypted content for item {item_id} could not be verified."
        if item_id
        else "The encrypted content could not be verified."
    )
    if seals.verdict(Kind.CIPHER, blob) is not Verdict.OURS:
        raise errors.capi(
            400, "invalid_request_body", f"{lead} Reason: Encrypted content could not be decrypted or parsed."
        )
    if item_id and mark_of(blob) != digest(item_id):
        raise errors.capi(
            400, "invalid_request_body", f"{lead} Reason: Encrypted content item_id did not match the target item id."
        )


def _check_pairs(items: list[dict[str, Any]], call: str, output: str, words: str) -> None:
    asked = {item.get("call_id") for item in items if item["type"] == call}
    answered = {item.get("call_id") for item in items if item["type"] == output}
    for item in items:
        if item["type"] == output and item.get("call_id") not in asked:
            raise _bad(f"No tool call found for {words} output with call_id {item.get('call_id')}.", "input")
        if item["type"] == call and item.get("call_id") not in answered:
            raise _bad(f"No tool output found for {words} {item.get('call_id')}.", "input")

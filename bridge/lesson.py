"""Lesson: what a refusal of the upstream teaches about the next try, read from its words.

A lesson is either about the model (it is on another endpoint, refuses a field, takes other efforts), which is worth
remembering, or about this one request, which a `Repair` may mend. Patterns are bound to the sentence's beginning and
to the upstreams' own wording, since a refusal may quote what the caller wrote. Quirk refusal-lessons.
"""

from __future__ import annotations

import re

from msgspec import Struct

from bridge.effort import EFFORTS
from bridge.target import Repair


class WrongEndpoint(Struct, frozen=True):
    """The model is not offered on this endpoint, or not with what was asked."""


class RefusedField(Struct, frozen=True):
    """A field that the model's backend does not take: a top-level name, or the whole path of one inside a list."""

    name: str

    @property
    def is_top_level(self) -> bool:
        return self.name.isidentifier()


class Efforts(Struct, frozen=True):
    """The reasoning efforts that the model takes; empty: none at all."""

    listed: tuple[str, ...]


class Need(Struct, frozen=True):
    repair: Repair


Lesson = WrongEndpoint | RefusedField | Efforts | Need

# Plain-text refusals begin so, others with the path of the value at fault.
_START = r"^(?:bad request: )?(?:[a-z_]+[\w.\[\]]*: )?"
_EFFORT_FIELD = r"(?:reasoning_effort|reasoning\.effort|output_config\.effort)\b"
_SHORT_EFFORTS = frozenset({"low", "medium", "high"})

_WRONG_ENDPOINT = re.compile(
    r"^model \S+ (?:is not accessible via the \S+ endpoint|is not supported via \w+(?: \w+)? API)"
    r"|^Function tools with reasoning_effort are not supported"
    r"|^This model is only supported in v1/"
)
_EFFORT = re.compile(
    rf"{_START}(?:Unsupported (?:value|parameter): )?'?{_EFFORT_FIELD}.*(?:not support|not permitted)"
    rf"|{_START}(?:Unknown parameter: |Unrecognized request argument supplied: )'?{_EFFORT_FIELD}",
    re.DOTALL,
)
_ANY_EFFORT = re.compile(r"^Invalid value: '[^']*'\. Supported values are: ")
_LISTED = re.compile(r"supported values(?: are)?:? *\[?([^\].]*)", re.IGNORECASE)
_WORD = re.compile(r"[a-z]+")

_NEEDS = (
    (
        Repair.STRIP_REASONING,
        re.compile(
            rf"{_START}(?:"
            r"The encrypted content (?:for item \S+ )?could not be verified"
            r"|Encrypted (?:function output )?content could not be decrypted"
            r"|Encrypted content item_id did not match the target item id"
            r"|`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified"
            r"|Invalid `(?:signature|data)` in `(?:redacted_)?thinking` block"
            r"|The final block in an assistant message cannot be `thinking`"
            r"|Item with id '[^']*' not found"
            r"|input item ID does not belong to this connection"
            r"|Invalid 'input\[\d+\]\.id': '[^']*'\. Expected an ID that begins with "
            r"|Item '[^']*' of type '\w+' was provided without its required "
            r")|^messages\.\d+\.content\.\d+\.(?:redacted_)?thinking\.(?:signature|data): ",
        ),
    ),
    (
        Repair.PAIR_RESULTS,
        re.compile(
            rf"{_START}(?:"
            r"unexpected `tool_use_id` found in `tool_result` blocks"
            r"|`tool_use` ids were found without `tool_result` blocks immediately after"
            r"|`tool_use` ids must be unique"
            r"|each tool_use must have a single result"
            r"|No tool (?:output|call) found for (?:function|custom tool|local shell) call "
            r"|(?:Invalid parameter: )?messages with role 'tool' must be a response to a prece+ding message"
            r"|An assistant message with 'tool_calls' must be followed by tool messages"
            r"|(?:Invalid request: )?tool_call_id \S* ?is not found"
            r")",
        ),
    ),
    (
        Repair.DESCRIBE_TOOLS,
        re.compile(
            r"^\[StringParam\] \[[^ ]*\bdescription\] \[empty_string\]|^Invalid '[^']*\bdescription': empty string"
        ),
    ),
    (Repair.TELL_CALLS, re.compile(rf"{_START}Function call is missing a thought_signature")),
    (Repair.FEWER_TOOLS, re.compile(r"^Invalid '(?:tools|input\[\d+\]\.tools)': array too long\. Expected an array")),
    (
        Repair.DROP_WEB_SEARCH,
        re.compile(
            r"^The use of the web search tool is not supported"
            r"|^The requested tool web_search\w* is not supported"
            r"|^tools\.\d+: Input tag 'web_search_\d+' found using 'type' does not match"
        ),
    ),
)

_NAME = r"([A-Za-z_][\w.\[\]]*)"
_FIELDS = (
    re.compile(rf"{_START}(?:Unsupported (?:parameter|value)|Unknown parameter): '{_NAME}'"),
    re.compile(rf"^(?:bad request: )?Unrecognized request arguments? supplied: {_NAME}"),
    re.compile(rf"^(?:bad request: )?{_NAME}: Extra inputs are not permitted"),
    re.compile(r"^invalid ([a-z_]+): only \S+ is allowed for this model"),
    re.compile(r"^`(temperature|top_k|top_p)` (?:may only|must) be .* when thinking is enabled"),
    # Either would do; models that refuse the pair are steered by temperature.
    re.compile(r"^`temperature` and `(top_p)` cannot both be specified"),
    re.compile(r"^\"(thinking)\.type\.\w+\" is not supported for this model"),
)
_UNSUPPORTED_FIELD = re.compile(r"^([a-z_]+) is not supported\.?$")
_NO_ADAPTIVE = re.compile(r"^adaptive thinking is not supported on this model")
# A request is nothing without these, or the gateway itself sets them.
_NEEDED = frozenset(
    {"model", "messages", "input", "system", "instructions", "tools", "stream", "stream_options", "store", "include"}
)
_LISTS = frozenset({"messages", "input", "system", "tools"})


def read_lesson(message: str, code: str) -> Lesson | None:
    """What a refusal with these words teaches; None when a further try would end the same way.

    `message` is the innermost one, taken out of its envelopes; `code` is empty when none was said.
    """
    if code == "unsupported_api_for_model" or _WRONG_ENDPOINT.search(message):
        return WrongEndpoint()
    if code == "invalid_reasoning_effort" or _EFFORT.search(message) or _names_efforts(message):
        return Efforts(_listed(message))
    for repair, pattern in _NEEDS:
        if pattern.search(message):
            return Need(repair)
    name = _refused_name(message, code)
    return None if name is None else RefusedField(name)


def _listed(message: str) -> tuple[str, ...]:
    match = _LISTED.search(message)
    words = _WORD.findall(match[1]) if match is not None else []
    return tuple(dict.fromkeys(word for word in words if word not in ("and", "or")))


def _names_efforts(message: str) -> bool:
    """A list of words that are efforts and cannot be something else: verbosity knows low, medium and high as well."""
    if _ANY_EFFORT.search(message) is None:
        return False
    listed = set(_listed(message))
    return listed <= set(EFFORTS) and not listed <= _SHORT_EFFORTS


def _refused_name(message: str, code: str) -> str | None:
    patterns = (*_FIELDS, _UNSUPPORTED_FIELD) if code == "unsupported_value" else _FIELDS
    for pattern in patterns:
        match = pattern.search(message)
        if match is not None:
            return _name(match[1])
    return "thinking" if _NO_ADAPTIVE.search(message) else None


def _name(path: str) -> str | None:
    """The top-level field that a path begins with, or the path itself where it leads into a list."""
    top = re.split(r"[.\[]", path, maxsplit=1)[0]
    if top != path and (top in _LISTS or "[" in path):
        return path
    return None if top in _NEEDED else top

"""Asked: a request as it came, read just as deep as the relay must; and Written: a body for the upstream.

When the same dialect stands on both sides the body is edited and not rebuilt: top-level members stay the bytes they
were, in their order, unknown ones included; so do the conversation's entries that need no edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Raw

from bridge.dialect import Dialect
from bridge.errors import BadRequest
from bridge.json_text import mend_surrogates

_fields_decoder = msgspec.json.Decoder(dict[str, Raw])
_list_decoder = msgspec.json.Decoder(list[Raw])


@dataclass(frozen=True, slots=True)
class Asked:
    """`fields` are the top-level members as raw JSON, `entries` the conversation's messages or items, one each.

    `include_usage` is Chat's wish for a usage chunk; the other dialects always tell usage.
    """

    dialect: Dialect
    fields: dict[str, Raw]
    model: str
    entries: list[Raw]
    stream: bool
    include_usage: bool = True

    @property
    def size(self) -> int:
        """Bytes of the request, near enough."""
        return sum(len(raw) for raw in self.fields.values())


@dataclass(frozen=True, slots=True)
class Written:
    """A body for the upstream and the names of what could not be carried."""

    body: bytes
    dropped: tuple[str, ...] = ()


def read_fields(body: bytes) -> dict[str, Raw]:
    """The top-level members of a body. Raises BadRequest: not UTF-8, not JSON, not an object, nested too deeply."""
    try:
        if not body.isascii():
            body.decode()
        body = mend_surrogates(body)
        if b"\n" in body or b"\r" in body:
            # Members are repeated raw in answers, whose frames end at line ends.
            body = msgspec.json.format(body, indent=-1)
        return _fields_decoder.decode(body)
    except UnicodeDecodeError as error:
        raise BadRequest("The body is not UTF-8. Send JSON encoded as UTF-8.") from error
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply. Send a flatter JSON object.") from error
    except msgspec.DecodeError as error:
        raise _not_an_object(body, error) from error


def read_list(fields: dict[str, Raw], name: str) -> list[Raw]:
    """The entries of a list member, raw. Raises BadRequest when it is missing, no list, or empty."""
    if name not in fields:
        raise BadRequest("'%(name)s' is missing. Send the conversation as a list.", {"name": name}, param=name)
    try:
        entries = _list_decoder.decode(fields[name])
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest("'%(name)s' must be a list.", {"name": name}, param=name) from error
    if not entries:
        raise BadRequest("'%(name)s' is empty. Send at least one entry.", {"name": name}, param=name)
    return entries


def parsed(raw: Raw, param: str) -> Any:
    """One JSON value of a request. Raises BadRequest for what only a full reading finds: 1e999, bottomless nesting."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(
            "'%(param)s' cannot be read: %(error)s.", {"param": param, "error": str(error)[:200]}, param=param
        ) from error


def typed(fields: dict[str, Raw], name: str, kind: type[Any]) -> Any:
    """A member of the type `kind` (str, int, float, bool, dict, list), None when absent or null.

    Raises BadRequest when it is of another type.
    """
    raw = fields.get(name)
    if raw is None:
        return None
    value = parsed(raw, name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = is_number and (kind is float or isinstance(value, kind)) if kind in (int, float) else isinstance(value, kind)
    if value is None or fits:
        return value
    wanted = {
        str: "a string",
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        dict: "an object",
        list: "a list",
    }[kind]
    raise BadRequest("'%(name)s' must be %(wanted)s.", {"name": name, "wanted": wanted}, param=name)


def _not_an_object(body: bytes, error: Exception) -> BadRequest:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return BadRequest("The body is not JSON: %(error)s.", {"error": str(error)[:200]})
    return BadRequest("The body is not a JSON object.")

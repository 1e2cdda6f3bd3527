"""How good JSON and good bytes are spoilt: by structure, by text and by byte; every choice comes from one seeded dice.

What is drawn is what has broken JSON programs: other types, missing and unknown members, names said twice, numbers
beyond every range, NaN, halves of surrogate pairs, bytes that are no UTF-8, nesting without end, endless strings, and
text that breaks off.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

_HALF = "\ud83d"
_HUGE = 200_000
_ODD_WORDS = ("", " ", "\x00", "\u2028", "😀", _HALF, "null", "[DONE]", "data: {}\n\n", "../..", "%s%n", "brg1.AAAA")
_ODD_NUMBERS = (0, -1, 1, 2**31, 2**53 + 1, 2**63, 2**64, 10**40, -(2**63) - 1, 0.5, -0.0, 1e308, 5e-324)
_LITERALS = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"01", b"1.", b"undefined", b"'x'", b"{}{}")
_RAW = (
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf0\x9f",
    b"\x00",
    b"\xef\xbb\xbf",
    b"\\ud800",
    b"\\u12",
    b"\\",
    b'"',
    b"{",
    b"]",
)


def spoilt_json(dice: random.Random, value: Any) -> bytes:
    """`value` as JSON, spoilt in one to three places; now and then it is not JSON any more."""
    value = json.loads(json.dumps(value))
    for _ in range(dice.choice((1, 1, 2, 3))):
        value = spoilt_value(dice, value)
    text = to_json(dice, value)
    return spoilt_text(dice, text) if dice.random() < 0.25 else text


def to_json(dice: random.Random, value: Any) -> bytes:
    """As JSON; halves of surrogate pairs as escapes, other signs either way, now and then over many lines."""
    plain = dice.random() < 0.5
    if dice.random() < 0.1:
        text = json.dumps(value, ensure_ascii=plain, indent=2).replace("\n", dice.choice(("\n", "\r\n")))
    else:
        text = json.dumps(value, ensure_ascii=plain, separators=(",", ":"))
    return text.replace(_HALF, "\\ud83d").encode("utf-8", "surrogatepass")


def spoilt_value(dice: random.Random, value: Any) -> Any:
    """The same value with one place in it changed."""
    places = _places(value)
    holder, key = dice.choice(places) if places else (None, None)
    if holder is None:
        return _odd(dice, value)
    _SPOILERS[dice.randrange(len(_SPOILERS))](dice, holder, key)
    return value


def spoilt_text(dice: random.Random, text: bytes) -> bytes:
    """JSON text made worse as text: names twice, numbers that are none, nesting, a broken end."""
    return dice.choice(_TEXT_SPOILERS)(dice, text)


def spoilt_bytes(dice: random.Random, data: bytes) -> bytes:
    """Bytes flipped, put in, taken out, doubled or cut off, anywhere."""
    for _ in range(dice.choice((1, 1, 2, 4))):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(5):
            case 0:
                data = data[:at] + dice.randbytes(dice.choice((1, 1, 2, 8))) + data[at + 1 :]
            case 1:
                data = data[:at] + dice.choice(_RAW) + data[at:]
            case 2:
                data = data[:at] + data[at + dice.choice((1, 1, 3, 40)) :]
            case 3:
                data = data[:at] + data[max(0, at - dice.randrange(1, 60)) :]
            case _:
                data = data[:at]
    return data


def nested(depth: int, *, as_list: bool) -> bytes:
    """JSON of `depth` levels, as text: no program's own nesting stands in the way."""
    return b"[" * depth + b"]" * depth if as_list else b'{"a":' * depth + b"1" + b"}" * depth


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key or index) in the value."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        for key in keys:
            found.append((holder, key))
            waiting.append(holder[key])
    return found


def _odd(dice: random.Random, value: Any) -> Any:
    """Something that hardly fits where `value` stood."""
    match dice.randrange(9):
        case 0:
            return dice.choice((None, True, False))
        case 1:
            return dice.choice(_ODD_NUMBERS)
        case 2:
            return dice.choice(_ODD_WORDS)
        case 3:
            return dice.choice(([], {}, [[]], [None], [{}], {"": None}, {"type": None}, {"type": "unheard_of"}))
        case 4:
            return [value]
        case 5:
            return {"type": value} if dice.random() < 0.5 else {"value": value}
        case 6:
            return json.dumps(value)
        case 7:
            return str(value) * 3
        case _:
            return dice.choice(("x", "ä", "😀", "\\", '"')) * dice.choice((3000, _HUGE if dice.random() < 0.05 else 65))


def _replace(dice: random.Random, holder: Any, key: Any) -> None:
    holder[key] = _odd(dice, holder[key])


def _take_out(dice: random.Random, holder: Any, key: Any) -> None:
    del holder[key]


def _double(dice: random.Random, holder: Any, key: Any) -> None:
    if isinstance(holder, list):
        holder[key:key] = [holder[key]] * dice.choice((1, 1, 2, 40))
    else:
        holder[f"{key}_{dice.randrange(9)}"] = holder[key]


def _rename(dice: random.Random, holder: Any, key: Any) -> None:
    if isinstance(holder, dict):
        names = (key.upper(), key[:-1], f"{key} ", "type", "id", "__proto__", "a\r\nb: c", *_ODD_WORDS)
        holder[dice.choice(names)] = holder.pop(key)
    else:
        holder.reverse()


def _exchange(dice: random.Random, holder: Any, key: Any) -> None:
    other = dice.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    holder[key], holder[other] = holder[other], holder[key]


def _bend(dice: random.Random, holder: Any, key: Any) -> None:
    """The same type with another value."""
    value = holder[key]
    if isinstance(value, bool):
        holder[key] = not value
    elif isinstance(value, int | float):
        holder[key] = dice.choice(_ODD_NUMBERS)
    elif isinstance(value, str):
        at = dice.randrange(len(value) + 1)
        holder[key] = value[:at] + dice.choice(_ODD_WORDS) + (value[at:] if dice.random() < 0.7 else "")
    elif isinstance(value, list):
        holder[key] = value[: dice.randrange(len(value) + 1)]
    elif isinstance(value, dict):
        value[dice.choice(("type", "id", "unheard_of", "name", "text"))] = _odd(dice, 1)


_Spoiler = Callable[[random.Random, Any, Any], None]
_SPOILERS: tuple[_Spoiler, ...] = (_replace, _replace, _take_out, _double, _rename, _exchange, _bend, _bend)


def _say_twice(dice: random.Random, text: bytes) -> bytes:
    at = text.find(b"{") + 1
    names = (b'"model":null,', b'"type":"x",', b'"stream":0,', b'"id":[],', b'"content":5,')
    return text[:at] + dice.choice(names) + text[at:]


def _bad_literal(dice: random.Random, text: bytes) -> bytes:
    colons = [place for place, sign in enumerate(text) if sign == 0x3A]
    if not colons:
        return dice.choice(_LITERALS)
    at = dice.choice(colons) + 1
    return text[:at] + dice.choice(_LITERALS) + b"," + text[at:]


def _break_off(dice: random.Random, text: bytes) -> bytes:
    return text[: dice.randrange(len(text) + 1)]


def _nest(dice: random.Random, text: bytes) -> bytes:
    deep = nested(dice.choice((20, 200, 1100, 5000, 50_000)), as_list=dice.random() < 0.5)
    at = text.find(b":") + 1
    return deep if dice.random() < 0.2 else text[:at] + deep + b',"x":' + text[at:]


def _add_behind(dice: random.Random, text: bytes) -> bytes:
    return text + dice.choice((b"}", b"{}", b",", b"\x00", b" \n\t", text[:50], b"// note"))


_TEXT_SPOILERS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _say_twice,
    _bad_literal,
    _break_off,
    _nest,
    _add_behind,
    spoilt_bytes,
)

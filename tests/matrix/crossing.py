"""One feature over one crossing: what `bridge.crossing` really does with it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from bridge.carrier import Carriers
from bridge.crossing import FORMATS, Crossing
from bridge.dialect import Dialect
from bridge.target import Target
from tests.matrix.features import Feature


class Mark(StrEnum):
    """What becomes of a feature."""

    CARRIED = "●"
    OTHERWISE = "◐"
    """Carried by other means, or done by the gateway itself."""
    NAMED = "○"
    """Not carried, and named in `x-bridge-dropped`."""
    UNSAYABLE = "·"
    """The door has no word for it."""
    LOST = "LOST"
    """Never: a silent loss is a bug."""


# A model behind each format, of the vendor whose own format it is, that takes everything its format can say.
TARGETS = {
    Dialect.CHAT: Target(model="gpt-4.1", vendor="Azure OpenAI", family="gpt-4.1", efforts=("low", "high")),
    Dialect.RESPONSES: Target(
        model="gpt-6-sol", vendor="OpenAI", family="gpt-6-sol", efforts=("low", "high"), cache_key="conversation"
    ),
    Dialect.MESSAGES: Target(
        model="claude-sonnet-5",
        vendor="Anthropic",
        family="claude-sonnet-5",
        max_output_tokens=64_000,
        efforts=("low", "high"),
        adaptive_thinking=True,
    ),
}


def mark_of(feature: Feature, door: Dialect, upstream: Dialect) -> Mark:
    """Send the feature's request over the crossing and look at what comes out on the other side."""
    request = feature.requests.get(door)
    if request is None:
        return Mark.UNSAYABLE
    body = msgspec.json.encode({"model": "asked", **request})
    asked = FORMATS[door].open_request(body)
    written = Crossing(asked, upstream, TARGETS[upstream], Carriers(b"key", "matrix")).write()
    text = written.body.decode()
    if feature.seen(text):
        return Mark.CARRIED
    if feature.by_other_means is not None and feature.by_other_means(text):
        return Mark.OTHERWISE
    if feature.names & set(written.dropped):
        return Mark.NAMED
    return Mark.OTHERWISE if feature.cut_here or upstream in feature.automatic else Mark.LOST

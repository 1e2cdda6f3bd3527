"""Which habits of the Responses format a model has: by its id's longest known prefix, rules of the operator first.

Grok behind Copilot's Responses endpoint refuses what OpenAI's models take there (`reasoning.context`,
`client_metadata`, message phases); the rest speaks what GitHub's own editor speaks. Source: the sxwxs/ghc_api package.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.target import WireProfile

_BUILT_IN = (("grok-", WireProfile.FOREIGN),)


def wire_profile(model: str, rules: Mapping[str, WireProfile]) -> WireProfile:
    """The profile of `model`; `rules` maps prefixes of model ids to profiles."""
    for known in (tuple(rules.items()), _BUILT_IN):
        fitting = [(len(prefix), profile) for prefix, profile in known if model.startswith(prefix)]
        if fitting:
            return max(fitting)[1]
    return WireProfile.COPILOT

"""Messages, `stop_reason`: why an answer ended, in Anthropic's words and in ours.

Words: https://docs.claude.com/en/api/handling-stop-reasons
"""

from __future__ import annotations

from bridge.events import Stop

_STOPS = {
    "end_turn": Stop.END,
    "tool_use": Stop.CALLS,
    "max_tokens": Stop.LENGTH,
    "stop_sequence": Stop.SEQUENCE,
    "refusal": Stop.FILTER,
    "pause_turn": Stop.PAUSE,
    "model_context_window_exceeded": Stop.CONTEXT,
}
_WORDS = {stop: word for word, stop in _STOPS.items()}


def read_stop(word: str, *, has_calls: bool) -> Stop:
    """What Anthropic's `word` means; without a word, or with one unknown here, the calls made tell."""
    stop = _STOPS.get(word, Stop.END)
    return Stop.CALLS if has_calls and stop is Stop.END else stop


def write_stop(stop: Stop, *, has_calls: bool, has_refusal: bool = False) -> str:
    """Anthropic's word; `tool_use` stands exactly where a call was made, whatever the upstream said of a good end."""
    if stop in (Stop.END, Stop.CALLS):
        if has_calls:
            return "tool_use"
        return "refusal" if has_refusal else "end_turn"
    return _WORDS[stop]

"""Streams as the upstream sent them, one list of `data` texts per model family; long values are shortened."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.formats.chat.seal_ids import seal_id

_FILTER = '{"hate":{"filtered":false,"severity":"safe"},"self_harm":{"filtered":false,"severity":"safe"}}'
_OFFSETS = '"content_filter_offsets":{"check_offset":2257,"start_offset":2257,"end_offset":2312}'

_OLD = '"created":1717764806,"id":"chatcmpl-9XTNold"'
OPENAI_OLD = (
    (
        '{"choices":[],"created":0,"id":"","prompt_filter_results":[{"content_filter_results":'
        '{"error":{"code":"","message":""},"hate":{"filtered":false,"severity":"safe"}},"prompt_index":0}]}'
    ),
    (
        f'{{"choices":[{{"index":0,{_OFFSETS},"content_filter_results":{_FILTER},'
        f'"delta":{{"content":"","role":"assistant"}}}}],{_OLD}}}'
    ),
    f'{{"choices":[{{"index":0,{_OFFSETS},"delta":{{"content":"Hello","role":null}}}}],{_OLD}}}',
    f'{{"choices":[{{"index":0,{_OFFSETS},"delta":{{"content":", wörld\u2028 🙂","role":null}}}}],{_OLD}}}',
    f'{{"choices":[{{"finish_reason":"stop","index":0,{_OFFSETS},"delta":{{"content":null,"role":null}}}}],{_OLD}}}',
    "[DONE]",
)

_NEW = (
    '"created":1749821284,"id":"chatcmpl-Bhyjnew","model":"gpt-4o-mini-2024-07-18",'
    '"object":"chat.completion.chunk","system_fingerprint":"fp_57db37749c"'
)
OPENAI_NEW = (
    (
        f'{{"choices":[{{"content_filter_results":{{}},"delta":{{"content":"","role":"assistant"}},"finish_reason":null,'
        f'"index":0,"logprobs":null}}],{_NEW},"usage":null}}'
    ),
    (
        f'{{"choices":[{{"content_filter_results":{_FILTER},"delta":{{"content":"hello"}},"finish_reason":null,'
        f'"index":0,"logprobs":null}}],{_NEW},"usage":null}}'
    ),
    (
        f'{{"choices":[{{"content_filter_results":{_FILTER},"delta":{{"content":" \\"model\\":\u2028 grüß 🙂\\n"}},'
        f'"finish_reason":null,"index":0,"logprobs":null}}],{_NEW},"usage":null}}'
    ),
    (
        f'{{"choices":[{{"content_filter_results":{{}},"delta":{{}},"finish_reason":"stop","index":0,"logprobs":null}}],'
        f'{_NEW},"usage":null}}'
    ),
    (
        f'{{"choices":[],{_NEW},"usage":{{"completion_tokens":93,"completion_tokens_details":'
        '{"accepted_prediction_tokens":89,"audio_tokens":0,"reasoning_tokens":0,"rejected_prediction_tokens":0},'
        '"prompt_tokens":965,"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":0},"total_tokens":1058}}'
    ),
    "[DONE]",
)

_GPT = '"created":1725925767,"id":"chatcmpl-A5iQtool","model":"gpt-4o-2024-05-13","system_fingerprint":"fp_80a1bad4c7"'
GPT_TOOL = (
    (
        '{"choices":[{"index":0,"delta":{"content":null,"role":"assistant","tool_calls":[{"function":{"arguments":"",'
        f'"name":"copilot_searchCodebase"}},"id":"call_ZQkS","index":0,"type":"function"}}]}}}}],{_GPT}}}'
    ),
    (
        '{"choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"function":{"arguments":"{\\""},"index":0}]}}],'
        f"{_GPT}}}"
    ),
    (
        '{"choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"function":{"arguments":"query\\":\\"ü\\"}"},'
        f'"index":0}}]}}}}],{_GPT}}}'
    ),
    (
        '{"choices":[{"finish_reason":"tool_calls","index":0,"delta":{"content":null}}],'
        f'"usage":{{"completion_tokens":0,"prompt_tokens":218,"total_tokens":218}},{_GPT}}}'
    ),
    "[DONE]",
)

_CLAUDE = '"created":1741911507,"id":"ba49856c-7de2-485b-87cd-6ff61c58407e","model":"claude-3.5-sonnet"'


def _claude_text(text: str, rest: str = _CLAUDE) -> str:
    return f'{{"choices":[{{"index":0,"delta":{{"content":"{text}","role":"assistant"}}}}],{rest}}}'


def _claude_name(call_id: str, index: int = 0, rest: str = _CLAUDE) -> str:
    return (
        '{"choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"function":{"name":"edit_file"},'
        f'"id":"{call_id}","index":{index},"type":"function"}}]}}}}],{rest}}}'
    )


def _claude_arguments(text: str, index: int = 0, rest: str = _CLAUDE) -> str:
    return (
        '{"choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"function":{"arguments":"'
        f'{text}"}},"index":{index},"type":"function"}}]}}}}],{rest}}}'
    )


CLAUDE_TWO_CALLS = (
    _claude_text("I"),
    _claude_text("'ll edit both."),
    _claude_name("tooluse_448k6WHn"),
    _claude_arguments(""),
    _claude_arguments('{\\"path\\": \\"a.py\\"'),
    _claude_arguments("}"),
    _claude_name("tooluse_2SRF2HSh"),
    _claude_arguments(""),
    _claude_arguments('{\\"path\\": \\"b.py\\"}'),
    (
        '{"choices":[{"finish_reason":"tool_calls","index":0,"delta":{"content":null}}],"created":1741911507,'
        '"id":"ba49856c-7de2-485b-87cd-6ff61c58407e","usage":{"completion_tokens":170,"prompt_tokens":2128,'
        '"total_tokens":2298},"model":"claude-3.5-sonnet"}'
    ),
    "[DONE]",
)

_SONNET = '"created":1760000000,"id":"msg_vrtx_01","model":"claude-sonnet-4.5","object":"chat.completion.chunk"'
CLAUDE_INDEX_FROM_ONE = (
    _claude_text("Reading", _SONNET),
    _claude_text(" it", _SONNET),
    _claude_name("toolu_vrtx_01", 1, _SONNET),
    _claude_arguments("", 1, _SONNET),
    _claude_arguments('{\\"path\\":\\"c.py\\"}', 1, _SONNET),
    (
        f'{{"choices":[{{"finish_reason":"tool_calls","index":0,"delta":{{"content":null}}}}],{_SONNET},'
        '"usage":{"completion_tokens":20,"prompt_tokens":100,"prompt_tokens_details":{"cached_tokens":60},'
        '"total_tokens":120},"copilot_usage":{"token_details":[{"token_type":"input","token_count":30},'
        '{"token_type":"cache_read","token_count":60},{"token_type":"cache_write","token_count":10},'
        '{"token_type":"output","token_count":20}],"total_nano_aiu":39000000}}'
    ),
    "[DONE]",
)

_GEMINI = '"created":1764940861,"id":"OdwyabKMI9yel7oPlbzgwQM","model":"gemini-3-pro-preview"'
_ZEROS = (
    '"usage":{"completion_tokens":0,"prompt_tokens":0,"prompt_tokens_details":{"cached_tokens":0},"total_tokens":0,'
    '"reasoning_tokens":0}'
)
GEMINI_TOOLS = (
    (
        '{"choices":[{"index":0,"delta":{"content":null,"role":"assistant","reasoning_text":"**Understanding**\\n\\n"}}],'
        f"{_ZEROS},{_GEMINI}}}"
    ),
    (
        '{"choices":[{"index":0,"delta":{"content":null,"role":"assistant","tool_calls":[{"function":{"arguments":'
        '"{\\"filePath\\":\\"/README.md\\"}","name":"read_file"},"id":"call_abc123","index":0,"type":"function"}],'
        f'"reasoning_opaque":"4CUQ6696"}}}}],{_ZEROS},{_GEMINI}}}'
    ),
    (
        '{"choices":[{"finish_reason":"tool_calls","index":0,"delta":{"content":null,"role":"assistant","tool_calls":'
        '[{"function":{"arguments":"{\\"filePath\\":\\"/mix.exs\\"}","name":"read_file"},"id":"call_def456","index":1,'
        '"type":"function"}]}}],"usage":{"completion_tokens":53,"prompt_tokens":19581,"prompt_tokens_details":'
        f'{{"cached_tokens":17068}},"total_tokens":19768,"reasoning_tokens":134}},{_GEMINI}}}'
    ),
    "[DONE]",
)
GEMINI_OPAQUE_AT_THE_END = (
    f'{{"choices":[{{"index":0,"delta":{{"content":"Yes.","role":"assistant"}}}}],{_ZEROS},{_GEMINI}}}',
    (
        '{"choices":[{"finish_reason":"stop","index":0,"delta":{"content":null,"role":"assistant",'
        f'"reasoning_opaque":"sealed=="}}}}],"usage":{{"completion_tokens":2,"prompt_tokens":9,"total_tokens":11,'
        f'"reasoning_tokens":0}},{_GEMINI}}}'
    ),
    "[DONE]",
)

_AZURE = '"created":1749800000,"id":"chatcmpl-cot","model":"o3-2025-04-16","object":"chat.completion.chunk"'
COT_AFTER_FINISH = (
    f'{{"choices":[{{"delta":{{"content":"","role":"assistant"}},"finish_reason":null,"index":0}}],{_AZURE}}}',
    f'{{"choices":[{{"delta":{{"cot_summary":"Thinking it over."}},"finish_reason":null,"index":0}}],{_AZURE}}}',
    f'{{"choices":[{{"delta":{{"content":"42"}},"finish_reason":null,"index":0}}],{_AZURE}}}',
    f'{{"choices":[{{"delta":{{}},"finish_reason":"stop","index":0}}],{_AZURE}}}',
    f'{{"choices":[{{"delta":{{"cot_id":"cot_a1b2"}},"finish_reason":null,"index":0}}],{_AZURE}}}',
    "[DONE]",
)

NO_FINISH = (_claude_text("All"), _claude_text(" done."), "[DONE]")
NO_FINISH_WITH_CALL = (_claude_name("tooluse_1"), _claude_arguments('{\\"a\\":1}'), "[DONE]")
STOP_WITH_CALL = (
    _claude_name("tooluse_1"),
    _claude_arguments('{\\"a\\":1}'),
    f'{{"choices":[{{"finish_reason":"stop","index":0,"delta":{{"content":null}}}}],{_CLAUDE}}}',
    "[DONE]",
)
SPLIT_CHOICES = (
    (
        '{"choices":[{"index":0,"delta":{"content":"Looking.","role":"assistant"}},{"index":1,"delta":{"content":null,'
        '"role":"assistant","tool_calls":[{"function":{"name":"read_file","arguments":"{}"},"id":"toolu_1","index":0,'
        f'"type":"function"}}]}}}}],{_CLAUDE}}}'
    ),
    (
        '{"choices":[{"finish_reason":"tool_calls","index":1,"delta":{"content":null,"tool_calls":[{"function":{"name":'
        f'"read_file","arguments":"{{}}"}},"id":"toolu_2","index":0,"type":"function"}}]}}}}],{_CLAUDE}}}'
    ),
    "[DONE]",
)
FAILED = (
    _claude_text("Par"),
    '{"choices":null,"error":{"code":"model_overloaded","message":"The model is overloaded."}}',
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a recording says in whatever shape: the text, and (id, name, arguments) of each tool call."""

    text: str
    calls: tuple[tuple[str, str, str], ...] = ()
    finish: str = "stop"
    reasoning: str = ""
    output_tokens: int | None = None


WHOLE: dict[str, tuple[tuple[str, ...], Said]] = {
    "openai old": (OPENAI_OLD, Said("Hello, wörld\u2028 🙂")),
    "openai new": (OPENAI_NEW, Said('hello "model":\u2028 grüß 🙂\n', output_tokens=93)),
    "gpt tool call": (
        GPT_TOOL,
        Said("", (("call_ZQkS", "copilot_searchCodebase", '{"query":"ü"}'),), "tool_calls", output_tokens=0),
    ),
    "claude, two calls with index 0": (
        CLAUDE_TWO_CALLS,
        Said(
            "I'll edit both.",
            (
                ("tooluse_448k6WHn", "edit_file", '{"path": "a.py"}'),
                ("tooluse_2SRF2HSh", "edit_file", '{"path": "b.py"}'),
            ),
            "tool_calls",
            output_tokens=170,
        ),
    ),
    "claude, index from 1": (
        CLAUDE_INDEX_FROM_ONE,
        Said("Reading it", (("toolu_vrtx_01", "edit_file", '{"path":"c.py"}'),), "tool_calls", output_tokens=20),
    ),
    "gemini tools": (
        GEMINI_TOOLS,
        Said(
            "",
            (
                (seal_id("call_abc123", "4CUQ6696"), "read_file", '{"filePath":"/README.md"}'),
                ("call_def456", "read_file", '{"filePath":"/mix.exs"}'),
            ),
            "tool_calls",
            reasoning="**Understanding**\n\n",
            output_tokens=187,  # with the reasoning that Gemini counts beside its completion
        ),
    ),
    "gemini, opaque at the end": (GEMINI_OPAQUE_AT_THE_END, Said("Yes.", output_tokens=2)),
    "cot_id after finish": (COT_AFTER_FINISH, Said("42")),
    "no finish reason": (NO_FINISH, Said("All done.")),
    "no finish reason, a call": (NO_FINISH_WITH_CALL, Said("", (("tooluse_1", "edit_file", '{"a":1}'),), "tool_calls")),
    "stop with a call": (STOP_WITH_CALL, Said("", (("tooluse_1", "edit_file", '{"a":1}'),), "tool_calls")),
    "split choices": (
        SPLIT_CHOICES,
        Said("Looking.", (("toolu_1", "read_file", "{}"), ("toolu_2", "read_file", "{}")), "tool_calls"),
    ),
}


def wire(recording: tuple[str, ...], line_end: bytes = b"\n") -> bytes:
    """The recording as the bytes of a stream."""
    return b"".join(b"data: " + text.encode() + line_end * 2 for text in recording)

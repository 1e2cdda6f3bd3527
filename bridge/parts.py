"""The parts a conversation is made of, as pure values: what turns hold, and what a reply is collected into.

A part means the same in every dialect. What only one dialect can say is carried by a field that is empty elsewhere;
a writer that cannot say a part names the loss, see `bridge/prompt.py`.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from bridge.dialect import Dialect


class Cache(StrEnum):
    """A prompt-caching breakpoint behind a part, by its time to live."""

    USUAL = "usual"
    FIVE_MINUTES = "5m"
    ONE_HOUR = "1h"


class SealKind(StrEnum):
    """What a reasoning part is sealed with: the model's own proof, or ciphertext, that it wants back unchanged."""

    SIGNATURE = "signature"
    """Messages: `thinking.signature`, beside the text it signs."""
    REDACTED = "redacted"
    """Messages: `redacted_thinking.data`, in the place of any text."""
    CIPHERTEXT = "ciphertext"
    """Responses: `reasoning.encrypted_content`."""
    OPAQUE = "opaque"
    """Chat Completions as Copilot speaks it: `reasoning_opaque`."""


class Seal(Struct, frozen=True):
    kind: SealKind
    value: str


NATIVE_SEAL = {
    Dialect.CHAT: SealKind.OPAQUE,
    Dialect.RESPONSES: SealKind.CIPHERTEXT,
    Dialect.MESSAGES: SealKind.SIGNATURE,
}


class CallKind(StrEnum):
    FUNCTION = "function"
    """Arguments are a JSON object, as text."""
    CUSTOM = "custom"
    """Arguments are free text, maybe bound to a grammar (Responses and Chat of OpenAI's newer models)."""


class Citation(Struct, frozen=True):
    """A source of a stretch of text, `start` and `end` counted in characters of that text (None: not told)."""

    url: str
    title: str = ""
    start: int | None = None
    end: int | None = None
    quote: str = ""


class TokenChance(Struct, frozen=True):
    """One output token with its log probability, and the likeliest others at its place."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None
    top: tuple[TokenChance, ...] = ()


class Text(Struct, frozen=True):
    """`phase` is Responses' `commentary` or `final_answer`; empty elsewhere."""

    text: str
    citations: tuple[Citation, ...] = ()
    chances: tuple[TokenChance, ...] = ()
    phase: str = ""
    cache: Cache | None = None


class Refusal(Struct, frozen=True):
    """The model's own words for why it will not answer."""

    text: str


class Reasoning(Struct, frozen=True):
    """What the model thought, in sections (Responses' summary parts; other dialects have one), and its seal."""

    sections: tuple[str, ...] = ()
    seal: Seal | None = None

    @property
    def text(self) -> str:
        return "\n\n".join(self.sections)


class Call(Struct, frozen=True):
    """A call of a client's tool. `arguments` are text as the model wrote it: a JSON object, or a custom tool's input.

    `namespace` is Responses' group of tools that the name belongs to; empty elsewhere.
    """

    id: str
    name: str
    arguments: str
    kind: CallKind = CallKind.FUNCTION
    namespace: str = ""
    cache: Cache | None = None


class Image(Struct, frozen=True):
    """`data` is base64 of `media_type`, or else `url` names where it lies (the gateway never fetches it).

    `file_id` names a file at the vendor, which no upstream of ours has.
    """

    media_type: str = ""
    data: str = ""
    url: str = ""
    file_id: str = ""
    detail: str = ""
    cache: Cache | None = None


class Document(Struct, frozen=True):
    """A PDF (`data`, base64), a document at `url`, or plain `text`; `title` is its file name or title."""

    media_type: str = ""
    data: str = ""
    url: str = ""
    text: str = ""
    file_id: str = ""
    title: str = ""
    context: str = ""
    cites: bool = False
    cache: Cache | None = None


class Result(Struct, frozen=True):
    """What a call gave back, in the order it was said."""

    call_id: str
    parts: tuple[Text | Image | Document, ...] = ()
    is_error: bool = False
    kind: CallKind = CallKind.FUNCTION
    cache: Cache | None = None


class Source(Struct, frozen=True):
    """A page that a web search found."""

    url: str
    title: str = ""


class Search(Struct, frozen=True):
    """A web search the model's own side made: what was looked for, and what came of it as far as that is told."""

    id: str
    query: str = ""
    sources: tuple[Source, ...] = ()


class Compaction(Struct, frozen=True):
    """The upstream's own digest of earlier turns: sealed (`ciphertext`, Responses) or in words (Messages)."""

    ciphertext: str = ""
    text: str = ""


Part = Text | Refusal | Reasoning | Call | Result | Image | Document | Search | Compaction

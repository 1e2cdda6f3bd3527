"""Crossing: the way of one request from the caller's dialect to an upstream's, and of the reply back.

The same dialect on both sides is passed on verbatim with a tap; two different ones meet in the hub:

    request  Asked → read_request → Prompt → passes → write_request → body
    reply    packets → ReplyReader → events → passes → ReplyWriter → bytes

The passes do what no single format can: pair calls with their results, open and wrap the seals of reasoning, fit tools
to what the upstream knows, cut at stop sequences. A request that an upstream refused for something deep inside of it
(`Target.repairs`) goes over the hub as well, whatever its dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bridge.asked import Asked, Written
from bridge.assembly import Reply
from bridge.carrier import Carriers
from bridge.dialect import Dialect
from bridge.errors import BridgeError
from bridge.formats import chat, messages, responses
from bridge.formats.chat import verbatim as chat_verbatim
from bridge.formats.messages import verbatim as messages_verbatim
from bridge.formats.responses import verbatim as responses_verbatim
from bridge.leaked_calls import CallRecovery
from bridge.pairing import pair_results
from bridge.plain_calls import tell_unsigned_calls
from bridge.prompt import Choice, Prompt, Tool
from bridge.road import Heading, Road
from bridge.sealing import SealWrapper, open_seals, strip_reasoning
from bridge.stopping import StopCutter
from bridge.target import Repair, Target, WireProfile
from bridge.tool_limit import with_fewer_tools
from bridge.toolbox import Toolbox, describe_tools, fit_tools
from bridge.translation import Pass, Reader, Translation, Whole, Writer


@dataclass(frozen=True, slots=True)
class Format:
    """What a room offers."""

    open_request: Callable[[bytes], Asked]
    edit_request: Callable[[Asked, Target], Written]
    tap: Callable[[Heading], Road]
    gatherer: Callable[[Heading], Road]
    read_request: Callable[[Asked], Prompt]
    write_request: Callable[[Prompt, Target], Written]
    reader: Callable[[], Reader]
    writer: Callable[[Heading], Writer]
    write_reply: Callable[[Reply, Heading], bytes]
    write_error: Callable[[BridgeError, str, str], bytes]


FORMATS: Mapping[Dialect, Format] = {
    Dialect.CHAT: Format(
        chat_verbatim.open_request,
        chat_verbatim.edit_request,
        chat_verbatim.StreamTap,
        chat_verbatim.Gatherer,
        chat.read_request,
        chat.write_request,
        chat.ReplyReader,
        chat.ReplyWriter,
        chat.write_reply,
        chat.write_error,
    ),
    Dialect.RESPONSES: Format(
        responses_verbatim.open_request,
        responses_verbatim.edit_request,
        responses_verbatim.StreamTap,
        responses_verbatim.Gatherer,
        responses.read_request,
        responses.write_request,
        responses.ReplyReader,
        responses.ReplyWriter,
        responses.write_reply,
        responses.write_error,
    ),
    Dialect.MESSAGES: Format(
        messages_verbatim.open_request,
        messages_verbatim.edit_request,
        messages_verbatim.StreamTap,
        messages_verbatim.Gatherer,
        messages.read_request,
        messages.write_request,
        messages.ReplyReader,
        messages.ReplyWriter,
        messages.write_reply,
        messages.write_error,
    ),
}


class Crossing:
    """One try of one request at one upstream. `write` first, then `road` for its reply.

    `betas` are the `anthropic-beta` values the caller sent.
    """

    def __init__(
        self, asked: Asked, upstream: Dialect, target: Target, carriers: Carriers, betas: tuple[str, ...] = ()
    ) -> None:
        self.upstream = upstream
        self._asked = asked
        self._target = target
        self._carriers = carriers
        self._betas = betas
        self._toolbox: Toolbox | None = None
        self._tools: tuple[Tool, ...] = ()
        self._stops: tuple[str, ...] = ()
        self.headers: dict[str, str] = {}

    def write(self) -> Written:
        """The body for the upstream, and `headers` that belong to it. Raises BadRequest."""
        if self._is_verbatim():
            return self._edited()
        prompt = self._repaired(pair_results(FORMATS[self._asked.dialect].read_request(self._asked)))
        prompt = open_seals(prompt, self.upstream, self._carriers)
        if Repair.TELL_CALLS in self._target.repairs:
            prompt = tell_unsigned_calls(prompt)
        custom_tools = self._target.profile is not WireProfile.FOREIGN
        prompt, toolbox = fit_tools(prompt, self.upstream, custom_tools=custom_tools)
        self._toolbox = toolbox
        may_call = prompt.tool_choice is None or prompt.tool_choice.choice is not Choice.NONE
        self._tools = prompt.tools if self._target.recovers_calls and may_call else ()
        self._stops = prompt.stop if self.upstream is Dialect.RESPONSES else ()
        written = FORMATS[self.upstream].write_request(prompt, self._target)
        return Written(written.body, tuple(dict.fromkeys(prompt.dropped + written.dropped)))

    def road(self, heading: Heading) -> Road:
        """The way of the reply, for a stream or a whole answer as was asked."""
        door = FORMATS[self._asked.dialect]
        if self._passes_verbatim():
            return door.tap(heading) if self._asked.stream else door.gatherer(heading)
        seals = SealWrapper(self._asked.dialect, self._carriers)
        passes: list[Pass] = [CallRecovery(self._tools, heading.id)] if self._tools else []
        if self._toolbox is not None and not self._toolbox.is_plain:
            passes.append(self._toolbox)
        if self._stops:
            passes.append(StopCutter(self._stops))
        reader = FORMATS[self.upstream].reader()
        if self._asked.stream:
            return Translation(reader, seals, passes, door.writer(heading))
        return Translation(reader, seals, passes, Whole(heading, door.write_reply, door.writer(heading)))

    def _passes_verbatim(self) -> bool:
        """Whether the reply may pass as it comes: nothing in the request was renamed or told otherwise."""
        if self._asked.dialect is not self.upstream or self._tools:
            return False
        if self._toolbox is None:
            return True
        return self._toolbox.is_plain and self.upstream is not Dialect.RESPONSES  # whose calls have kinds

    def _is_verbatim(self) -> bool:
        if self._asked.dialect is not self.upstream or self._target.repairs:
            return False
        if self._target.recovers_calls and "tools" in self._asked.fields:
            return False
        has_custom = any(b'"custom"' in bytes(self._asked.fields.get(name, b"")) for name in ("tools", "input"))
        return not (self.upstream is Dialect.RESPONSES and self._target.profile is WireProfile.FOREIGN and has_custom)

    def _edited(self) -> Written:
        if self._asked.dialect is not Dialect.MESSAGES:
            return FORMATS[self._asked.dialect].edit_request(self._asked, self._target)
        betas = messages_verbatim.betas_of(self._asked, self._betas, self._target.adaptive_thinking)
        if betas:
            self.headers["anthropic-beta"] = ",".join(betas)
        return messages_verbatim.edit_request(self._asked, self._target, betas)

    def _repaired(self, prompt: Prompt) -> Prompt:
        if Repair.DESCRIBE_TOOLS in self._target.repairs:
            prompt = describe_tools(prompt)
        if Repair.FEWER_TOOLS in self._target.repairs:
            prompt = with_fewer_tools(prompt)
        if Repair.STRIP_REASONING in self._target.repairs:
            prompt = strip_reasoning(prompt)
        if Repair.DROP_WEB_SEARCH in self._target.repairs and prompt.web_search is not None:
            prompt = replace(prompt, web_search=None, dropped=(*prompt.dropped, "web_search"))
        return prompt

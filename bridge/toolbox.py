"""Toolbox: the tools of a request made fit for an upstream, and the calls of its reply given back as the caller's own.

fit_tools      names, namespaces, schemas, descriptions; custom tools become functions with one string `input`;
               the calls and results of the history and the tool choice follow
Toolbox.feed   a call gets its name, namespace and kind back, a wrapped custom tool's input comes out as raw text
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

import msgspec
from msgspec import structs

from bridge.dialect import Dialect
from bridge.events import CallHead, Event, Failed, Finished, PartClosed, PartOpened, Started, TextGrew
from bridge.json_text import decode_object
from bridge.parts import Call, CallKind, Part, Result
from bridge.prompt import Choice, Prompt, ServerTool, Tool, ToolChoice, Turn
from bridge.tool_names import Origin, Sent, ToolNames
from bridge.tool_schema import PLACEHOLDER, describe_schema, object_schema

_INPUT = "input"
_GRAMMARS = {"lark": "Lark grammar", "regex": "regular expression"}
_Changed = TypeVar("_Changed", Tool, Call, Result)


class Toolbox:
    """Restores the calls of one reply. `is_plain`: there is nothing to restore, events pass as they are."""

    def __init__(self, origins: Mapping[Sent, Origin]) -> None:
        self._origins = origins
        self._held: list[str] | None = None
        """The arguments so far of the wrapped call that is open."""

    @property
    def is_plain(self) -> bool:
        return not self._origins

    def restore(self, events: Iterable[Event]) -> list[Event]:
        """All of `events` through `feed`."""
        return [restored for event in events for restored in self.feed(event)]

    def feed(self, event: Event) -> list[Event]:
        """What the caller is told for `event`; the input of a wrapped custom tool comes when its call is whole."""
        match event:
            case PartOpened(head=CallHead() as head):
                return [PartOpened(self._head(head))]
            case TextGrew(text) if self._held is not None:
                self._held.append(text)
                return []
            case PartClosed() if self._held is not None:
                text, self._held = _unwrapped("".join(self._held)), None
                return [TextGrew(text), event] if text else [event]
            case Started() | Finished() | Failed():
                self._held = None
        return [event]

    def _head(self, head: CallHead) -> CallHead:
        origin = self._origins.get(Sent(head.name, head.namespace))
        if origin is None:
            return head
        self._held = [] if origin.wrapped else None
        return CallHead(head.id, origin.name, CallKind.CUSTOM if origin.wrapped else head.kind, origin.namespace)


def fit_tools(prompt: Prompt, upstream: Dialect, *, custom_tools: bool) -> tuple[Prompt, Toolbox]:
    """The prompt as `upstream` takes its tools, and the way back; `custom_tools` says whether it has them at all.

    Drops and names `tools` that are there twice, and a `tool_choice` that fits none of them.
    """
    is_responses = upstream is Dialect.RESPONSES
    fitter = _Fitter(prompt, is_responses=is_responses, keeps_custom=is_responses and custom_tools)
    tools = fitter.tools()
    choice = fitter.choice()
    if choice is not None and choice.allowed and not is_responses:
        tools = tuple(tool for tool in tools if tool.name in choice.allowed)
        choice = structs.replace(choice, allowed=()) if tools else None
    fitted = replace(
        prompt,
        tools=tools,
        tool_choice=choice,
        web_search=prompt.web_search if fitter.allows_search else None,
        turns=tuple(fitter.turn(turn) for turn in prompt.turns),
        dropped=tuple(dict.fromkeys((*prompt.dropped, *fitter.dropped))),
    )
    return fitted, Toolbox(fitter.names.origins)


def describe_tools(prompt: Prompt) -> Prompt:
    """The prompt without empty descriptions deep in its tools, for the repair of that name. Quirk empty-description."""
    tools = (
        structs.replace(tool, schema=None if tool.schema is None else describe_schema(tool.schema))
        for tool in prompt.tools
    )
    return replace(prompt, tools=tuple(tools))


class _Fitter:
    """One request's tools on their way upstream; `tools` comes first, since it gives out the names."""

    def __init__(self, prompt: Prompt, *, is_responses: bool, keeps_custom: bool) -> None:
        self.names = ToolNames(flat=not is_responses, wraps=not keeps_custom)
        self.dropped: list[str] = []
        self.allows_search = True
        self._prompt = prompt
        self._is_responses = is_responses
        self._wraps = not keeps_custom

    def tools(self) -> tuple[Tool, ...]:
        # Plain names go first, so that a flattened one never takes the name of a tool that had it all along.
        named = {
            number: self.names.declare(tool.name, tool.namespace, tool.kind)
            for number, tool in sorted(enumerate(self._prompt.tools), key=lambda entry: bool(entry[1].namespace))
        }
        fitted = []
        for number, tool in enumerate(self._prompt.tools):
            sent = named[number]
            if sent is None:
                self.dropped.append("tools")
            else:
                fitted.append(self._tool(tool, sent))
        return tuple(fitted)

    def choice(self) -> ToolChoice | None:
        """The choice under the names upstream; None when nothing is left to choose."""
        choice = self._prompt.tool_choice
        if choice is None:
            return None
        if choice.choice is Choice.NAMED:
            return self._named(choice)
        if not self._prompt.tools and not (self._is_responses and self._prompt.web_search is not None):
            if choice.choice is Choice.REQUIRED or choice.allowed:
                self.dropped.append("tool_choice")
            return None
        return self._narrowed(choice) if choice.allowed else choice

    def turn(self, turn: Turn) -> Turn:
        if not any(isinstance(part, Call | Result) for part in turn.parts):
            return turn
        return Turn(turn.role, tuple(self._part(part) for part in turn.parts))

    def _tool(self, tool: Tool, sent: Sent) -> Tool:
        tool = _described(tool)
        if self._wraps and tool.kind is CallKind.CUSTOM:
            tool = _as_function(tool)
        elif tool.kind is CallKind.FUNCTION:
            schema = object_schema(tool.schema)
            if schema is not tool.schema:
                # A schema that was rebuilt no longer keeps the rules that `strict` promises.
                tool = structs.replace(tool, schema=schema, strict=False if tool.strict else tool.strict)
        if tool.namespace and not self._is_responses:
            lead = "" if tool.namespace_description in ("", PLACEHOLDER) else tool.namespace_description
            description = "\n\n".join(text for text in (lead, tool.description) if text) or None
            tool = structs.replace(tool, description=description, namespace_description="")
        return _renamed(tool, sent)

    def _named(self, choice: ToolChoice) -> ToolChoice | None:
        sent = self.names.of(choice.name, choice.namespace)
        if sent is None:
            if self._is_responses and self._prompt.web_search is not None and choice.name == ServerTool.WEB_SEARCH:
                return choice
            self.dropped.append("tool_choice")
            return None
        kind = CallKind.FUNCTION if self._wraps else choice.kind
        return structs.replace(choice, name=sent.name, namespace=sent.namespace, kind=kind)

    def _narrowed(self, choice: ToolChoice) -> ToolChoice:
        """The tools that are allowed by their own name, their namespace, or both in one."""
        wanted = set(choice.allowed)
        names: dict[str, None] = {}
        for tool in self._prompt.tools:
            known_as = {tool.name, tool.namespace, f"{tool.namespace}__{tool.name}"} if tool.namespace else {tool.name}
            sent = self.names.of(tool.name, tool.namespace)
            if sent is not None and wanted & known_as:
                names[sent.name] = None
        searches = ServerTool.WEB_SEARCH in wanted and self._prompt.web_search is not None
        if not names and not searches:
            self.dropped.append("tool_choice")
            return structs.replace(choice, allowed=())
        self.allows_search = searches
        return structs.replace(choice, allowed=(*names, ServerTool.WEB_SEARCH.value) if searches else tuple(names))

    def _part(self, part: Part) -> Part:
        match part:
            case Call(name=name, namespace=namespace, kind=kind):
                call = _renamed(part, self.names.mention(name, namespace, kind))
                if self._wraps and kind is CallKind.CUSTOM:
                    arguments = msgspec.json.encode({_INPUT: part.arguments}).decode()
                    return structs.replace(call, arguments=arguments, kind=CallKind.FUNCTION)
                return call
            case Result(kind=CallKind.CUSTOM) if self._wraps:
                return structs.replace(part, kind=CallKind.FUNCTION)
        return part


def _renamed(value: _Changed, sent: Sent) -> _Changed:
    if isinstance(value, Result) or (value.name, value.namespace) == (sent.name, sent.namespace):
        return value
    return structs.replace(value, name=sent.name, namespace=sent.namespace)


def _described(tool: Tool) -> Tool:
    """A placeholder for a description that is empty; one that is absent stays absent. Quirk empty-description."""
    if tool.description is not None and not tool.description.strip():
        tool = structs.replace(tool, description=PLACEHOLDER)
    if tool.namespace and not tool.namespace_description.strip():
        tool = structs.replace(tool, namespace_description=PLACEHOLDER)
    return tool


def _as_function(tool: Tool) -> Tool:
    """A custom tool as a function whose one argument is the text, with its grammar told in words."""
    rule = "The whole input of the tool, as plain text."
    if tool.grammar:
        rule += f" It must match this {_GRAMMARS.get(tool.syntax, 'grammar')}:\n{tool.grammar}"
    lead = "" if tool.description in (None, PLACEHOLDER) else f"{tool.description}\n\n"
    schema = {
        "type": "object",
        "properties": {_INPUT: {"type": "string", "description": rule}},
        "required": [_INPUT],
    }
    return Tool(
        tool.name,
        f"{lead}`{_INPUT}`: {rule}",
        schema,
        namespace=tool.namespace,
        namespace_description=tool.namespace_description,
        cache=tool.cache,
    )


def _unwrapped(arguments: str) -> str:
    """The text inside `{"input": text}`; what is not of that shape stays as the model wrote it."""
    text = (decode_object(arguments.encode()) or {}).get(_INPUT)
    return text if isinstance(text, str) else arguments

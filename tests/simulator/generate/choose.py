"""Which of the tools on offer the question asks for, and with what arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tests.simulator.generate.arguments import Filler
from tests.simulator.generate.intent import Action, Intent, intent_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.simulator.generate.ask import Ask, Tool
    from tests.simulator.scenario import Scenario

_FITS: Mapping[Action, tuple[str, ...]] = {
    Action.CREATE: ("write", "create", "save", "apply_patch", "str_replace_based_edit_tool", "str_replace_editor"),
    Action.EDIT: ("edit", "replace", "apply_patch", "str_replace_based_edit_tool", "write"),
    Action.READ: ("read", "view", "open", "cat"),
    Action.LIST: ("ls", "list", "glob"),
    Action.RUN: (),
    Action.SEARCH: ("grep", "search", "find", "glob", "web_search"),
    Action.FETCH: ("fetch", "download", "webfetch"),
}
_SHELLS = (
    "bash",
    "shell",
    "exec",
    "exec_command",
    "shell_command",
    "run_shell_command",
    "run_in_terminal",
    "terminal",
    "run_command",
    "execute_command",
    "local_shell",
    "container_exec",
)
_NEEDS_FILE = (Action.CREATE, Action.EDIT, Action.READ)
_DIRECTORY = re.compile(
    r"(?:[Ww]orking (?:in the )?directory|cwd|current directory)\s*(?:is)?\s*[:=]?\s*[`\"']?(?P<plain>/[^\s`\"'<]+)"
    r"|<cwd>(?P<tag>[^<]+)</cwd>"
)
_ASKS = re.compile(r"\b(?:use|using|call|invoke|run)\b|使用|调用|用", re.IGNORECASE)
_TOOL_WORD = re.compile(r"\b(?:tools?|functions?)\b|工具|函数", re.IGNORECASE)
_QUERY = re.compile(r"(?i:get|fetch|look_?up|search|find|query|check|calculate|convert|send|book|show|list)(?=[_A-Z-])")
"""How the name of a function begins that is called when the question is about the rest of its name."""
_EVERYDAY = frozenset(
    {"get", "set", "list", "read", "write", "make", "call", "tool", "file", "with", "from", "user", "data", "text"}
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool: `arguments` is JSON for a function and free text for a custom tool."""

    tool: str
    arguments: str
    kind: str = "function"
    namespace: str = ""


def calls_for(ask: Ask, scenario: Scenario, topic: str) -> tuple[Call, ...]:
    """The calls the answer makes; none when the question asks for no tool or the rounds are over."""
    if not ask.tools or ask.choice == "none" or scenario.call == "none":
        return ()
    if ask.results and ask.rounds >= scenario.rounds:
        return ()
    intent = intent_of(ask.question)
    chosen = _chosen(ask, scenario, intent)
    if not chosen:
        return ()
    number = scenario.calls or max(intent.count, len(chosen), _listed(intent, chosen))
    number = number if ask.parallel else 1
    directory = _directory(ask.background)
    return tuple(_call(chosen[n % len(chosen)], intent, topic, directory, scenario, n) for n in range(number))


def _listed(intent: Intent, chosen: list[Tool]) -> int:
    """Two calls when a tool that takes a place is asked about several places."""
    takes_place = any(re.search(r"location|city|place", name) for name in chosen[0].schema.get("properties") or ())
    return len(intent.places) if takes_place else 1


def _chosen(ask: Ask, scenario: Scenario, intent: Intent) -> list[Tool]:
    wanted = scenario.call or (ask.choice if ask.choice not in ("auto", "required", "any") else None)
    if wanted:
        return [tool for tool in ask.tools if tool.name == wanted][:1] or list(ask.tools[:1])
    usable = [tool for tool in ask.tools if tool.kind not in ("web_search", "web_search_preview", "tool_search")]
    named = [tool for tool in usable if _is_named(tool, ask.question)]
    if named:
        return named
    best = max(usable, key=lambda tool: _score(tool, intent), default=None)
    if best is None:
        return []
    asked = _ASKS.search(ask.question) and _TOOL_WORD.search(ask.question)
    if _score(best, intent) > 0 or asked or ask.choice in ("required", "any") or scenario.calls:
        return [best]
    return []


def _is_named(tool: Tool, question: str) -> bool:
    """True when the question speaks of this tool; a name that is an everyday word must be used as a name."""
    name = re.escape(tool.name)
    if re.search(r"[_\d-]|[a-z][A-Z]", tool.name):
        return re.search(rf"(?<![\w-]){name}(?![\w-])", question, re.IGNORECASE) is not None
    before = r"(?:\b(?:use|using|call|invoke)\s+(?:the\s+|an?\s+)?|使用|调用|用\s*|`)"
    pattern = rf"{before}{name}(?:`|\b|工具)|\b{name}\s+(?:tool|function)\b"
    return re.search(pattern, question, re.IGNORECASE) is not None


def _score(tool: Tool, intent: Intent) -> int:
    """How well the tool fits what is to be done; 0 when it does not."""
    name = tool.name.lower()
    parts = _parts(tool.name)
    fits = _FITS.get(intent.action, ())
    score = 0
    if intent.action is not Action.NONE and (intent.files or intent.action not in _NEEDS_FILE):
        if name in fits:
            score = 12
        elif parts & set(fits) and (intent.action not in _NEEDS_FILE or _takes_file(tool)):
            score = 10 + bool(parts & {"file", "dir", "directory"})
        elif name in _SHELLS or "shell" in parts or "bash" in parts:
            score = 8 if intent.action is Action.RUN else 5
        if intent.action in (Action.LIST, Action.SEARCH) and not _wants_files(intent) and score < 10:
            score = 0
    if not _QUERY.match(tool.name):
        return score
    said = set(re.findall(r"[a-z]{4,}", intent.question.lower()))
    return score + 3 * len((parts - _EVERYDAY) & said)


def _takes_file(tool: Tool) -> bool:
    return any(re.search(r"file|path", name.lower()) for name in tool.schema.get("properties") or ())


def _wants_files(intent: Intent) -> bool:
    return (
        re.search(
            r"\b(files?|director(?:y|ies)|folders?|code|repo\w*)\b|文件|目录|代码", intent.question, re.IGNORECASE
        )
        is not None
    )


def _parts(name: str) -> set[str]:
    return {part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def _directory(background: str) -> str:
    found = _DIRECTORY.search(background)
    return (found["plain"] or found["tag"]).strip() if found else ""


def _call(tool: Tool, intent: Intent, topic: str, directory: str, scenario: Scenario, number: int) -> Call:
    kind = "custom" if tool.kind == "custom" else "function"
    if scenario.arguments is not None:
        given = scenario.arguments
        return Call(tool.name, given if isinstance(given, str) else _json(given), kind, tool.namespace)
    if kind == "custom":
        return Call(tool.name, _free_text(tool, intent), kind, tool.namespace)
    filled = Filler(intent, topic, tool.schema, directory, number).fill({"type": "object", **tool.schema})
    return Call(tool.name, _json(filled), kind, tool.namespace)


def _free_text(tool: Tool, intent: Intent) -> str:
    """Input for a custom tool: JavaScript or a patch when the description says so, else a command."""
    described = tool.description.lower()
    if "javascript" in described:
        return f"const r = await tools.exec_command({{cmd: {_json(intent.shell)}}});\ntext(r.output ?? r);\n"
    if "patch" in tool.name or "patch" in described:
        return intent.patch
    return intent.shell


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()

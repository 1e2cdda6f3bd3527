"""Intent: what a question asks to be done with files, commands and other tools, read off its words.

This is what lets an agent program work against the simulator: "create a file hello.txt containing hi" gives an action,
a file name and its content, from which `arguments` fills whatever tool the agent offers. English and Chinese.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    CREATE = "create"
    EDIT = "edit"
    READ = "read"
    LIST = "list"
    RUN = "run"
    SEARCH = "search"
    FETCH = "fetch"
    NONE = "none"


_FILE = re.compile(
    r"(?<![A-Za-z0-9_@:/.])(?:~|\.{1,2})?/?(?:[A-Za-z0-9_-]+/)*[A-Za-z0-9_-]*\.?[A-Za-z0-9_-]+\.[A-Za-z][A-Za-z0-9]{0,7}\b"
)
_CALLED = re.compile(r"(?:file|文件)\s*(?:called|named|名为|叫)?\s*[`\"'“]([\w./-]+)[`\"'”]")
_URL = re.compile(r"https?://[^\s\"'<>)]+")
_QUOTED = re.compile(r"`([^`]+)`|\"([^\"]+)\"|“([^”]+)”|‘([^’]+)’|「([^」]+)」|(?<!\w)'([^']+)'(?!\w)")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")
_PLACE = re.compile(r"\b(?:in|for|at|of|near|from|to|and)\s+((?:[A-Z][\w'-]+)(?:\s[A-Z][\w'-]+)*)")
_PLACE_ZH = re.compile(r"(北京|上海|广州|深圳|杭州|成都|武汉|西安|南京|重庆|天津|东京|巴黎|伦敦|纽约|柏林)")
_CONTENT = re.compile(
    r"(?:containing|that contains|with (?:the |its )?(?:exact )?(?:content|contents|text|line|body)s?"
    r"|that says|saying|which says|内容(?:为|是)?|写入|写上|包含)\s*[:：=]?\s*(?P<rest>.+)",
    re.IGNORECASE | re.DOTALL,
)
_COMMAND = re.compile(
    r"(?:\brun|\bexecute|运行|执行)\s*(?:the\s+|this\s+)?(?:shell\s+|bash\s+)?(?:command|命令)?\s*[:：]?\s*(?P<rest>[^\n]+)",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"\s*(?:\busing\b|\bwith the\b|\bin parallel\b|\band (?:then|tell|show|report|reply)\b"
    r"|[,;，；]|\.\s+[A-Z]|。|然后|并).*$",
    re.DOTALL,
)
_ACTIONS = (
    (Action.RUN, r"\b(run|execute)\b|运行|执行"),
    (Action.CREATE, r"\b(create|write|save|make|add|generate)\b|创建|新建|写|生成|保存"),
    (Action.EDIT, r"\b(edit|replace|modify|change|rename)\b|修改|替换|编辑"),
    (Action.LIST, r"\b(list|ls)\b|列出"),
    (Action.SEARCH, r"\b(search|find|grep|look up|google)\b|搜索|查找|检索"),
    (Action.FETCH, r"\b(fetch|download)\b|下载|抓取"),
    (Action.READ, r"\b(read|open|show|view|cat|print)\b|读|打开|查看|显示"),
)
_TWO = re.compile(r"\b(both|two|twice|in parallel|parallel)\b|两次|两个|同时|并行|分别", re.IGNORECASE)
_THREE = re.compile(r"\b(three|thrice)\b|三个|三次", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Intent:
    """What was found in the words; lists are in order of mention."""

    action: Action
    question: str
    files: tuple[str, ...] = ()
    content: str | None = None
    command: str | None = None
    urls: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()
    count: int = 1

    def nth(self, found: tuple[str, ...], number: int) -> str | None:
        """The number-th of what was found, or the last one when there are fewer."""
        return found[min(number, len(found) - 1)] if found else None

    @property
    def shell(self) -> str:
        """A shell command that does what is asked."""
        name = self.files[0] if self.files else None
        if self.command:
            return self.command
        if self.action is Action.CREATE and name:
            text = (self.content or "").replace("'", "'\\''")
            return f"printf '%s\\n' '{text}' > {name}"
        if self.action in (Action.READ, Action.EDIT) and name:
            return f"cat {name}"
        if self.action is Action.SEARCH:
            return f"grep -rn '{self.nth(self.quoted, 0) or 'TODO'}' ."
        if self.action is Action.FETCH and self.urls:
            return f"curl -s {self.urls[0]}"
        return "ls -la"

    @property
    def patch(self) -> str:
        """An apply_patch envelope that adds the file asked for."""
        lines = (self.content or "hello").split("\n")
        added = "\n".join(f"+{line}" for line in lines)
        return (
            f"*** Begin Patch\n*** Add File: {self.files[0] if self.files else 'hello.txt'}\n{added}\n*** End Patch\n"
        )


def intent_of(question: str) -> Intent:
    """The intent of a question, read without its URLs so that they are not taken for files."""
    bare = _URL.sub(" ", question)
    command = _command(bare)
    content, head = _content(bare)
    files = _files(head)
    action = next((action for action, words in _ACTIONS if re.search(words, head, re.IGNORECASE)), Action.NONE)
    if action is Action.RUN and not command:
        action = Action.NONE
    places = tuple(dict.fromkeys(_PLACE.findall(question) + _PLACE_ZH.findall(question)))
    return Intent(
        action=action,
        question=question,
        files=files,
        content=content,
        command=command,
        urls=tuple(url.rstrip(".,;") for url in _URL.findall(question)),
        places=places,
        quoted=tuple(_quoted(question)),
        numbers=tuple(float(number) for number in _NUMBER.findall(bare)),
        count=len(files) if action is Action.READ and files else _wanted(question, len(files)),
    )


def _wanted(question: str, files: int) -> int:
    if _THREE.search(question):
        return 3
    if _TWO.search(question):
        return max(2, min(files, 4))
    return 1


def _files(text: str) -> tuple[str, ...]:
    named = [name for name in _CALLED.findall(text) if "." in name or "/" in name]
    return tuple(dict.fromkeys(named + _FILE.findall(text)))


def _content(text: str) -> tuple[str | None, str]:
    """The content asked for, and the text without it."""
    found = _CONTENT.search(text)
    if not found:
        return None, text
    rest = found["rest"].strip()
    quoted = _QUOTED.match(rest)
    head = text[: found.start()]
    if quoted:
        return _first(quoted), head + " " + rest[quoted.end() :]
    cut = _TAIL.sub("", rest).strip()
    return cut.rstrip(".。!！") or rest, head + " " + rest[len(cut) :]


def _command(text: str) -> str | None:
    found = _COMMAND.search(text)
    if not found:
        return None
    rest = found["rest"].strip()
    quoted = _QUOTED.search(rest)
    if quoted:
        return _first(quoted)
    cut = _TAIL.sub("", rest).strip().rstrip(".。!！")
    if not cut or re.match(r"(the|a|an|it|this|that|your|my)\b", cut, re.IGNORECASE):
        return None
    return cut


def _quoted(text: str) -> list[str]:
    return [_first(found) for found in _QUOTED.finditer(text)]


def _first(found: re.Match[str]) -> str:
    return next(group for group in found.groups() if group is not None)
